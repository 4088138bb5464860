// What a conf means, and what is refused: one rule a case.
#include <doctest/doctest.h>

#include "config/support.h"
#include "support/json_reader.h"
#include "support/shared_data.h"

using namespace hyperion;
using namespace hyperion::config;
using namespace hyperion::test;

namespace {

constexpr std::string_view hash_a =
    "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

std::string key_entry(std::string_view id, std::string_view more = "") {
  return "[[keys]]\nid = \"" + std::string(id) + "\"\nhash = \"" + std::string(hash_a) + "\"\n" +
         std::string(more) + "\n";
}

World with_key() {
  World world;
  world.variables["OPENAI_API_KEY"] = "sk-provider-key";
  return world;
}

// A text as a basic string of TOML.
std::string in_toml(std::string_view text) {
  std::string result = "\"";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    char escaped[8];
    if (byte < 0x20 || byte == 0x7f || c == '"' || c == '\\') {
      std::snprintf(escaped, sizeof(escaped), "\\u%04x", byte);
      result += escaped;
    } else {
      result += c;
    }
  }
  return result + "\"";
}

void check_messages(const LoadOutcome& outcome) {
  CHECK((outcome.config == nullptr) == !outcome.errors.empty());
  CHECK(outcome.errors.size() <= 21);
  for (const auto* list : {&outcome.errors, &outcome.warnings}) {
    for (const std::string& message : *list) {
      CAPTURE(message);
      for (char c : message) CHECK_MESSAGE((c >= ' ' && c <= '~'), "one line of ASCII");
    }
  }
}

}  // namespace

TEST_CASE("an empty conf gives the defaults") {
  const auto loaded = accepted("");
  CHECK(loaded->settings.server.listen.at(0).text() == "127.0.0.1:8080");
  CHECK(loaded->settings.admin.listen.text() == "127.0.0.1:8081");
  CHECK(loaded->settings.http.body_size_max_bytes == 32 * 1024 * 1024);
  CHECK(loaded->environment == "production");
  CHECK(Config::defaults()->catalog.resolve("gpt-4o").model != nullptr);
}

TEST_CASE("a provider of the catalogue needs no more than its name") {
  const auto loaded = accepted("[[providers]]\nname = \"openai\"\n", with_key());
  const catalog::Provider& provider = loaded->catalog.providers()[0];
  CHECK(provider.base_url.text() == "https://api.openai.com/v1");
  CHECK(provider.authentication.header == "authorization");
  CHECK(provider.authentication.prefix == "Bearer ");
  CHECK(provider.key.reveal() == "sk-provider-key");
  CHECK(provider.usable);
  CHECK(provider.tls_server_name == "api.openai.com");
  CHECK(loaded->catalog.resolve("gpt-4o").upstream_model == "gpt-4o-2024-11-20");
}

TEST_CASE("a second provider takes a preset under a name of its own") {
  const auto loaded = accepted(
      "[[providers]]\nname = \"second\"\npreset = \"openai\"\nserves = [\"openai\"]\n", with_key());
  CHECK(loaded->catalog.resolve("second/gpt-4o").found());
  CHECK(loaded->catalog.providers()[0].key.reveal() == "sk-provider-key");
}

TEST_CASE("the key of a preset goes to the preset's host only") {
  const auto loaded = accepted(
      "[[providers]]\nname = \"openai\"\nbase_url = \"http://127.0.0.1:9090/v1\"\n", with_key());
  CHECK(loaded->catalog.providers()[0].key.empty());
  CHECK(loaded->catalog.providers()[0].usable);
  CHECK(loaded->catalog.resolve("gpt-4o").found());
}

TEST_CASE("a provider whose key is not set is loaded, marked and warned about") {
  for (const bool set : {false, true}) {
    World world;
    if (set) world.variables["OPENAI_API_KEY"] = "";
    const auto outcome = world.load("[[providers]]\nname = \"openai\"\n");
    REQUIRE(outcome.config != nullptr);
    CHECK_FALSE(outcome.config->catalog.providers()[0].usable);
    CHECK(outcome.config->catalog.providers()[0].unusable_because == "no key: set OPENAI_API_KEY");
    CHECK(contains(joined(outcome.warnings), "test.toml:1: providers.openai: no key"));
  }
}

TEST_CASE("a provider's key may come from a file that only its owner reads") {
  World world;
  world.files["folder/key"] = "sk-from-file\n";
  const auto outcome = load_text("[[providers]]\nname = \"openai\"\napi_key_file = \"key\"\n",
                                 "folder/hyperion.toml", world.surroundings());
  REQUIRE(outcome.config != nullptr);
  CHECK(outcome.config->catalog.providers()[0].key.reveal() == "sk-from-file");
  CHECK(world.asked["folder/key"] == Readers::owner_only);
  CHECK(contains(refusal("[[providers]]\nname = \"openai\"\napi_key_file = \"/none\"\n"),
                 "test.toml:3: providers.api_key_file: /none cannot be read"));
}

TEST_CASE("a key that would break a header is refused and not repeated") {
  for (const char* key : {"sk-a\r\nhost: evil", "sk a b", "\n", "sk-\xc3\xa4"}) {
    World world;
    world.variables["OPENAI_API_KEY"] = key;
    const std::string error = refusal("[[providers]]\nname = \"openai\"\n", world);
    CHECK(contains(error, "cannot be one"));
    CHECK_FALSE(contains(error, "sk"));
  }
}

TEST_CASE("timeouts and caps of a provider are those of the sections unless it says otherwise") {
  const auto loaded = accepted(
      "[timeouts]\nupstream_connect_ms = 111\nupstream_idle_ms = 222\n"
      "[upstream]\nconnections_per_shard_max = 33\n"
      "[[providers]]\nname = \"openai\"\nidle_ms = 444\n",
      with_key());
  const catalog::Provider& provider = loaded->catalog.providers()[0];
  CHECK(provider.timeouts.connect_ms == 111);
  CHECK(provider.timeouts.idle_ms == 444);
  CHECK(provider.timeouts.total_ms == 600'000);
  CHECK(provider.connections.connections_per_shard_max == 33);
}

TEST_CASE("the first byte of a model that thinks for long has its own time") {
  const auto loaded = accepted(
      "[[models]]\nid = \"gpt-4o-2024-11-20\"\nfirst_byte_ms = 300_000\n"
      "[[providers]]\nname = \"openai\"\n",
      with_key());
  CHECK(loaded->catalog.resolve("gpt-4o").deployment->first_byte_ms() == 300'000);
  CHECK(loaded->catalog.resolve("gpt-4o-mini").deployment->first_byte_ms() == 60'000);
}

TEST_CASE("a model of the conf adds to the catalogue or changes single facts of it") {
  const auto loaded = accepted(
      "[[models]]\nid = \"gpt-4o-2024-11-20\"\ncontext_tokens = 77\naliases = [\"four\"]\n"
      "[[models]]\nid = \"llama-3\"\nfamily = \"local\"\nendpoints = [\"completions\"]\n"
      "[[providers]]\nname = \"openai\"\n"
      "[[providers]]\nname = \"local\"\nbase_url = \"http://127.0.0.1:8000/v1\"\n",
      with_key());
  CHECK(loaded->catalog.resolve("four").model->context_tokens == 77);
  CHECK(loaded->catalog.resolve("llama-3").deployment->provider->name == "local");
  CHECK(loaded->catalog.resolve("llama-3").model->serves(catalog::Endpoint::completions));
  CHECK_FALSE(loaded->catalog.resolve("llama-3").model->serves(catalog::Endpoint::chat));
  CHECK(loaded->catalog.resolve("gpt-4o").model->serves(catalog::Endpoint::chat));
}

TEST_CASE("headers, variables and addresses of a provider") {
  const auto loaded = accepted(
      "[[providers]]\nname = \"azure\"\nbase_url = \"https://{resource}.openai.azure.com/openai\"\n"
      "variables = { resource = \"mine\" }\nheaders = { X-Title = \"My application\" }\n"
      "authentication_header = \"Api-Key\"\nauthentication_prefix = \"\"\n"
      "api_key_env = \"OPENAI_API_KEY\"\naddresses = [\"10.0.0.7:443\", \"[::1]:443\"]\n"
      "passthrough_unknown_models = true\n",
      with_key());
  const catalog::Provider& provider = loaded->catalog.providers()[0];
  CHECK(provider.base_url.host == "mine.openai.azure.com");
  CHECK(provider.headers ==
        std::vector<std::pair<std::string, std::string>>{{"x-title", "My application"}});
  CHECK(provider.authentication.header == "api-key");
  CHECK(provider.authentication.prefix.empty());
  CHECK(provider.addresses.at(1).text() == "[::1]:443");
  CHECK(loaded->catalog.resolve("azure/anything").found());
}

TEST_CASE("the environment chooses among deployments and aliases") {
  const std::string text =
      "[[providers]]\nname = \"openai\"\n[aliases]\nfast = \"gpt-4o\"\n"
      "[environments.staging]\nfast = \"gpt-4o-mini\"\n";
  CHECK(accepted(text, with_key())->catalog.resolve("fast").upstream_model == "gpt-4o-2024-11-20");
  CHECK(accepted("environment = \"staging\"\n" + text, with_key())
            ->catalog.resolve("fast")
            .upstream_model == "gpt-4o-mini-2024-07-18");
}

TEST_CASE("keys are found by their hash unless they are revoked") {
  std::string text = "[[providers]]\nname = \"openai\"\n";
  std::vector<std::string> presented;
  for (int i = 0; i < 300; ++i) {
    presented.push_back("sk_live_" + std::to_string(i) + "_secret");
    const auto hex = tls::hex_of(tls::sha256(presented.back()));
    text += "[[keys]]\nid = \"k" + std::to_string(i) +
            "\"\nhash = \"sha256:" + std::string(hex.data(), hex.size()) +
            "\"\nrevoked = " + (i % 3 == 0 ? "true" : "false") + "\nmodels = [\"gpt-4o\"]\n";
  }
  const auto loaded = accepted(text, with_key());
  for (int i = 0; i < 300; ++i) {
    const VirtualKey* key = loaded->keys.find(tls::sha256(presented[static_cast<size_t>(i)]));
    REQUIRE((key != nullptr) == (i % 3 != 0));
    if (key == nullptr) continue;
    CHECK(key->id == "k" + std::to_string(i));
    CHECK(key->allowed.allows(*loaded->catalog.resolve("gpt-4o").deployment));
    CHECK_FALSE(key->allowed.allows(*loaded->catalog.resolve("gpt-4o-mini").deployment));
  }
  CHECK(loaded->keys.find(tls::sha256("sk_live_unknown")) == nullptr);
  CHECK(loaded->keys.find(tls::Sha256{}) == nullptr);
  CHECK(VirtualKeys().find(tls::Sha256{}) == nullptr);
}

TEST_CASE("the stamps say whether two texts are the same") {
  CHECK(accepted("")->stamp == accepted("")->stamp);
  CHECK(accepted("")->stamp != accepted("# other\n")->stamp);
  CHECK(accepted("")->stamp.size() == 16);
  World world;
  world.catalog = embedded_catalog;
  CHECK(accepted("")->catalog_stamp != accepted("", world)->catalog_stamp);
}

TEST_CASE("a catalogue file takes the place of the built-in one") {
  World world;
  world.files["/models.toml"] = "[[models]]\nid = \"only\"\nfamily = \"x\"\n";
  const auto loaded = accepted("catalog_file = \"/models.toml\"\n", world);
  CHECK(loaded->catalog.models().size() == 1);
  world.files["/models.toml"] = "[[models]]\nid = \"only\"\nfamly = \"x\"\n[[model]]\n";
  const auto outcome = world.load("catalog_file = \"/models.toml\"\n");
  const std::string errors = joined(outcome.errors);
  CHECK(contains(errors, "/models.toml:3: models.famly: unknown key: did you mean family?"));
  CHECK(contains(errors, "/models.toml:4: model: unknown key: did you mean models?"));
  CHECK(contains(refusal("catalog_file = \"/none\"\n"), "test.toml:1: catalog_file: /none cannot"));
}

TEST_CASE("the built-in catalogue knows today's models and their prices") {
  World world = with_key();
  world.catalog = embedded_catalog;
  const auto loaded = accepted("[[providers]]\nname = \"openai\"\n", world);
  const auto gpt_4o = loaded->catalog.resolve("gpt-4o");
  CHECK(gpt_4o.upstream_model == "gpt-4o-2024-11-20");
  CHECK(gpt_4o.model->context_tokens == 128'000);
  CHECK(gpt_4o.model->output_tokens_max == 16'384);
  CHECK(gpt_4o.model->prices == catalog::Prices{2'500'000, 10'000'000, 1'250'000});
  CHECK(loaded->catalog.resolve("gpt-4o-mini").upstream_model == "gpt-4o-mini-2024-07-18");
  CHECK(loaded->catalog.resolve("text-embedding-3-small")
            .model->serves(catalog::Endpoint::embeddings));
  CHECK(loaded->catalog.resolve("gpt-3.5-turbo-instruct")
            .model->serves(catalog::Endpoint::completions));
  for (const catalog::Model& model : loaded->catalog.models()) {
    CAPTURE(model.id);
    CHECK(model.endpoints != 0);
    CHECK(catalog::is_model_name(model.id));
  }
}

TEST_CASE("what does not go together is refused, with the line and the remedy") {
  const struct {
    std::string text;
    std::string_view error;
  } cases[] = {
      {"[server]\nlisten = []\n", "test.toml:2: server.listen: expected at least one address"},
      {"[server]\nlisten = [\"127.0.0.1:80\", \"127.0.0.1:80\"]\n", "127.0.0.1:80 is there twice"},
      {"[server]\nlisten = [\"127.0.0.1:8081\"]\n", "admin.listen: 127.0.0.1:8081 is there twice"},
      {"[server]\ncores = [0]\nshards = 2\n", "test.toml:3: server.shards: expected at most one"},
      {"[server]\ncores = []\n", "server.cores: expected \"auto\" or a list"},
      {"[server]\ncores = [1, 1]\n", "server.cores: the core 1 is there twice"},
      {"[server]\nring_entries = 1000\n", "expected a power of two from 64 to 32768, given 1000"},
      {"[tls]\nlisten = [\"127.0.0.1:8443\"]\n", "tls.listen: needs tls.certificate_file"},
      {"[tls]\nca_file = \"/none.pem\"\n", "test.toml:2: tls.ca_file: /none.pem cannot be read"},
      {"[limits]\ntarget_size_max_bytes = 20000\n", "expected at most limits.head_size_max_bytes"},
      {"[memory]\nbodies_per_shard_max_bytes = 1048576\n", "such a body would never fit"},
      {"[memory]\nrefuse_at_percent = 96\n", "expected at most stop_accept_at_percent"},
      {"[memory]\nblocks_per_shard_kept = 9000\n", "memory.blocks_per_shard_kept: expected"},
      {"[limits]\nrelay_backlog_max_bytes = 67108864\n", "room for at least four relays"},
      {"[timeouts]\nupstream_total_ms = 1000\nupstream_connect_ms = 10\n"
       "upstream_idle_ms = 10\n",
       "timeouts.upstream_first_byte_ms: expected at most upstream_total_ms, which is 1000"},
      {"[cors]\nallowed_origins = [\"*\", \"https://a.example\"]\n", "expected \"*\" alone"},
      {"[simulator]\nfault_percent = 5\n", "simulator.fault_percent: needs simulator.fault"},
      {"[simulator]\nlisten = \"off\"\n", "simulator.listen: expected an address"},
      {"[providers]\nname = \"x\"\n", "providers: expected entries that each begin with [[prov"},
      {"server = 5\n", "test.toml:1: server: expected a section [server], given 5"},
      {"aliases = 5\n", "aliases: expected a section of names"},
      {"[environments]\nstaging = 5\n", "environments.staging: expected a section of names"},
      {"[environments.Staging]\n", "environments.Staging: expected a name"},
      {"[[providers]]\nbase_url = \"https://a.example\"\n", "providers.name: is missing"},
      {"[[providers]]\nname = \"x\"\n", "providers.base_url: is missing"},
      {"[[providers]]\nname = \"x\"\npreset = \"y\"\n", "no such preset: expected one of openai"},
      {"[[providers]]\nname = \"openai\"\n[[providers]]\nname = \"openai\"\n",
       "test.toml:3: providers.name: \"openai\" is there twice"},
      {"[[providers]]\nname = \"x\"\nbase_url = \"http://a.example\"\nca_file = \"/a\"\n",
       "providers.ca_file: is of no use"},
      {"[[providers]]\nname = \"openai\"\napi_key_env = \"A\"\napi_key_file = \"b\"\n",
       "expected it or api_key_env, given both"},
      {"[[providers]]\nname = \"openai\"\ndialect = \"klingon\"\n",
       "expected \"openai\", given \"klingon\""},
      {"[[providers]]\nname = \"openai\"\nheaders = { host = \"x\" }\n", "the gateway's own"},
      {"[[providers]]\nname = \"openai\"\nheaders = { Authorization = \"x\" }\n",
       "looks like a credential"},
      {"[[providers]]\nname = \"openai\"\nheaders = { x-a = \"b\\r\\nc: d\" }\n",
       "expected visible ASCII as the value of x-a"},
      {"[[providers]]\nname = \"openai\"\nauthentication_header = \"Host\"\n", "the gateway's own"},
      {"[[providers]]\nname = \"openai\"\nauthentication_prefix = \"\\u00e4 \"\n",
       "providers.authentication_prefix: expected visible ASCII"},
      {"[[models]]\nid = \"x\"\n", "models.family: is missing"},
      {"[[models]]\nid = \"x\"\nfamily = \"y\"\n[[models]]\nid = \"x\"\nfamily = \"y\"\n",
       "test.toml:4: models.id: \"x\" is there twice"},
      {"[[models]]\nid = \"a b\"\nfamily = \"y\"\n", "models.id: expected a model's name"},
      {"[[models]]\nid = \"a\"\nfamily = \"y\"\nreleased = \"2024-01-01\"\n", "without quotes"},
      {"[[deployments]]\nname = \"x\"\n[[providers]]\nname = \"openai\"\n", "is missing"},
      {"[[deployments]]\nname = \"x\"\nmodel = \"gpt-4o\"\nprovider = \"nobody\"\n",
       "test.toml:1: deployments.provider: no [[providers]] has the name \"nobody\""},
      {"[aliases]\nfast = \"gpt-4o\"\n", "no provider of this file serves \"gpt-4o\""},
      {"[aliases]\na = \"b\"\nb = \"a\"\n", "leads back to itself: a -> b -> a"},
      {"environment = \"prod\"\n", "test.toml:1: environment: \"prod\" is not defined"},
      {key_entry("a") + key_entry("a"), "keys.id: \"a\" is there twice"},
      {key_entry("a") + key_entry("b"), "keys.hash: another entry has the same hash"},
      {key_entry("a", "models = [\"gpt-9\"]"), "keys.models: \"gpt-9\" matches no model"},
      {key_entry("a", "body_size_max_bytes = 33554433"), "at most limits.body_size_max_bytes"},
      {"[[keys]]\nid = \"a\"\n", "keys.hash: is missing"},
  };
  for (const auto& [text, error] : cases) {
    CAPTURE(text);
    const auto outcome = with_key().load(text);
    const std::string errors = joined(outcome.errors);
    CAPTURE(errors);
    CHECK(outcome.config == nullptr);
    CHECK(contains(errors, error));
  }
}

TEST_CASE("what is hardly meant is a warning and no more") {
  const auto warnings = [](std::string_view text) {
    const auto outcome = with_key().load(text);
    const std::string errors = joined(outcome.errors);
    REQUIRE_MESSAGE(outcome.config != nullptr, errors);
    return joined(outcome.warnings);
  };
  CHECK(contains(warnings(""), "test.toml: providers: there is none"));
  CHECK(contains(warnings(""), "test.toml: keys: there is none"));
  CHECK(contains(warnings("[server]\ndrain_s = 1\n"), "test.toml:2: server.drain_s: is shorter"));
  CHECK(
      contains(warnings("[admin]\nlisten = \"0.0.0.0:9000\"\n"), "reachable from other machines"));
  CHECK(contains(warnings("[[providers]]\nname = \"x\"\nbase_url = \"http://10.0.0.1\"\n"
                          "api_key_env = \"OPENAI_API_KEY\"\n"),
                 "the key crosses the network unencrypted"));
  CHECK_FALSE(contains(warnings("[[providers]]\nname = \"x\"\nbase_url = \"http://127.0.0.1\"\n"
                                "api_key_env = \"OPENAI_API_KEY\"\n"),
                       "unencrypted"));
  CHECK(contains(warnings("[[providers]]\nname = \"x\"\nbase_url = \"http://a.example\"\n"),
                 "providers.x: serves no model"));
  CHECK_FALSE(contains(warnings("[[providers]]\nname = \"openai\"\n" + key_entry("a")), "none"));
}

TEST_CASE("all problems are listed in the order of lines, twenty at most") {
  std::string text = "[server]\n";
  for (int i = 0; i < 30; ++i) text += "unknown_" + std::to_string(i) + " = 1\n";
  const auto outcome = World().load(text);
  REQUIRE(outcome.errors.size() == 21);
  CHECK(outcome.errors[0].starts_with("test.toml:2: server.unknown_0: unknown key"));
  CHECK(outcome.errors[19].starts_with("test.toml:21: server.unknown_19: unknown key"));
  CHECK(outcome.errors[20] == "test.toml: and 10 more");
}

TEST_CASE("a key in the wrong section is told where it belongs") {
  CHECK(refusal("[server]\nhead_ms = 5\n") ==
        "test.toml:2: server.head_ms: unknown key here: it belongs to [timeouts]");
  CHECK(contains(refusal("[server]\nmax_connections = 5\n"), "did you mean connections_max?"));
  CHECK(contains(refusal("[servr]\n"), "test.toml:1: servr: unknown key: did you mean server?"));
}

TEST_CASE("secrets in the file are refused and never repeated") {
  const std::string secret = "sk-proj-0123456789abcdefghijklmnopqrstuvwxyz";
  for (const std::string& text : {
           "[[providers]]\nname = \"openai\"\napi_key = \"" + secret + "\"\n",
           "[[providers]]\nname = \"openai\"\napi_key_env = \"" + secret + "\"\n",
           "[[providers]]\nname = \"" + secret + "\"\n",
           "[[providers]]\nname = \"x\"\nbase_url = \"https://u:" + secret + "@a.example\"\n",
           "[[providers]]\nname = \"openai\"\nheaders = { x-api-key = \"" + secret + "\" }\n",
           "[[keys]]\nid = \"a\"\nkey = \"" + secret + "\"\n",
           "[[keys]]\nid = \"a\"\nhash = \"" + secret + "\"\n",
           "[admin]\ntoken = \"" + secret + "\"\n",
           "[server]\nlisten = \"" + secret + "\"\n",
           "[server]\nshards = \"" + secret + "\"\n",
           // And where the text is no TOML.
           "[[providers]]\napi_key = " + secret + "\n",
           "[[providers]]\napi_key = \"" + secret + "\n",
           "[[providers]]\napi_key \"" + secret + "\"\n",
           "api_key = '" + secret + "\n",
           "x = \"\"\"" + secret + "\n",
       }) {
    CAPTURE(text);
    const auto outcome = World().load(text);
    CHECK(outcome.config == nullptr);
    CHECK_FALSE(contains(joined(outcome.errors), secret));
    CHECK_FALSE(contains(joined(outcome.warnings), secret));
    CHECK_FALSE(contains(joined(outcome.errors), "0123456789"));
  }
}

TEST_CASE("the admin's token comes from a variable or a file and must not be weak") {
  World world;
  CHECK(accepted("", world)->settings.admin.token.empty());
  world.variables["HYPERION_ADMIN_TOKEN"] = "0123456789abcdef";
  CHECK(accepted("", world)->settings.admin.token.reveal() == "0123456789abcdef");
  world.files["/token"] = "fedcba9876543210\n";
  CHECK(accepted("[admin]\ntoken_file = \"/token\"\n", world)->settings.admin.token.reveal() ==
        "fedcba9876543210");
  CHECK(world.asked.empty());
  world.variables["HYPERION_ADMIN_TOKEN"] = "short";
  CHECK(contains(refusal("", world), "at least 16 characters"));
}

TEST_CASE("a text that is no TOML is one error with its line") {
  CHECK(contains(refusal("[server]\nshards = \n"), "test.toml:2: not TOML"));
  CHECK(contains(refusal("[server]\nshards = 1\nshards = 2\n"), "test.toml:3: not TOML"));
  CHECK(contains(refusal("[server\n"), "test.toml:1: not TOML"));
  CHECK(contains(refusal("\xff\xfe"), "test.toml:1: not TOML"));
  CHECK(contains(refusal("[log]\ntarget = \"\xff\"\n"), "test.toml:2: not TOML"));
  CHECK(contains(refusal("\n\nn\xc3\xa4me = 1\n"), "test.toml:3: not TOML: a letter beyond ASCII"));
  CHECK(contains(refusal("x = \"\"\"\na\n\"\"\"\n"), "test.toml:1: expected a text on one line"));
  CHECK(contains(refusal(std::string_view("a\0b = 1", 7)), "not TOML"));
}

TEST_CASE("headers on which the TOML library asserts are errors like others") {
  for (const char* text : {"[.", "[.a]", "[[.a]]", "[[[a]]]", "[[=", "[[]]", "[a.]", "[a..b]"}) {
    CAPTURE(text);
    CHECK(contains(refusal(text), "test.toml:1: not TOML"));
  }
}

TEST_CASE(
    "letters beyond ASCII may stand in texts and comments, and a byte order mark before all") {
  const auto loaded = accepted("\xef\xbb\xbf# \xc3\xa4 \" '\n" +
                               key_entry("a", "name = \"\xc3\xa4 # \\\" \xce\xb1\" # \xc3\xbc") +
                               "models = [ '*' ] # '\n[log]\ntarget = '/\xc3\xa4\\'\n");
  CHECK(loaded->keys.all()[0].name == "\xc3\xa4 # \" \xce\xb1");
  CHECK(loaded->settings.log.target == "/\xc3\xa4\\");
}

TEST_CASE("depth and size of a text are bounded") {
  std::string dots = "a";
  for (int i = 0; i < 100'000; ++i) dots += ".a";
  CHECK(contains(refusal(dots + " = 1\n"), "test.toml:1: expected at most 512 dots"));
  CHECK(contains(refusal("x = " + std::string(100'000, '[')), "not TOML"));
  std::string nested;
  for (int i = 0; i < 15; ++i) nested += "{ " + dots.substr(0, 801) + " = [\n";
  CHECK_FALSE(refusal("x = " + nested).empty());
  CHECK(contains(refusal(std::string(5 * 1024 * 1024, '\n')), "at most 4 MiB"));
  CHECK(contains(refusal("x." + dots.substr(0, 81) + " = 1\n"), "nested at most 16 deep"));
}

TEST_CASE("naughty strings as values are taken as they are or refused in one plain line") {
  const auto folder = shared_data("suites/naughty-strings");
  if (!folder) return;
  const auto strings = read_json(read_file(*folder / "strings.json"));
  REQUIRE(strings);
  REQUIRE(strings->elements.size() > 300);
  for (const Json& element : strings->elements) {
    const std::string& naughty = element.text;
    CAPTURE(naughty);
    const std::string value = in_toml(naughty);
    for (const std::string& text : {
             "environment = " + value + "\n",
             "[aliases]\n" + value + " = " + value + "\n",
             "[environments." + value + "]\n" + value + " = " + value + "\n",
             "[" + value + "]\n" + value + " = " + value + "\n",
             "[server]\nlisten = [" + value + "]\ncores = " + value + "\n" + value + " = 1\n",
             "[log]\ntarget = " + value + "\n[cors]\nallowed_origins = [" + value + "]\n",
             "[[providers]]\nname = " + value + "\nbase_url = " + value + "\nserves = [" + value +
                 "]\nheaders = { " + value + " = " + value + " }\nvariables = { " + value + " = " +
                 value + " }\n",
             "[[models]]\nid = " + value + "\nfamily = " + value + "\naliases = [" + value + "]\n",
             "[[deployments]]\nname = " + value + "\nmodel = " + value + "\nprovider = " + value +
                 "\n",
             naughty,
         }) {
      check_messages(World().load(text));
    }
    // A name for people may be anything that is one line.
    const auto outcome = World().load(key_entry("a", "name = " + value));
    check_messages(outcome);
    if (outcome.config != nullptr) CHECK(outcome.config->keys.all()[0].name == naughty);
  }
}
