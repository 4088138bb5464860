// What a conf means: one rule a case.
#include <doctest/doctest.h>

#include "config/support.h"

using namespace hyperion;
using namespace hyperion::config;
using namespace hyperion::test;

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
  CHECK(provider.reveal_key(0) == "sk-provider-key");
  CHECK(provider.usable);
  CHECK(provider.tls_server_name == "api.openai.com");
  CHECK(loaded->catalog.resolve("gpt-4o").upstream_model == "gpt-4o-2024-11-20");
}

TEST_CASE("a second provider takes a preset under a name of its own") {
  const auto loaded = accepted(
      "[[providers]]\nname = \"second\"\npreset = \"openai\"\nserves = [\"openai\"]\n", with_key());
  CHECK(loaded->catalog.resolve("second/gpt-4o").found());
  CHECK(loaded->catalog.providers()[0].reveal_key(0) == "sk-provider-key");
}

TEST_CASE("the key of a preset goes to the preset's host only") {
  const auto loaded = accepted(
      "[[providers]]\nname = \"openai\"\nbase_url = \"http://127.0.0.1:9090/v1\"\n", with_key());
  CHECK(loaded->catalog.providers()[0].keys.empty());
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
  CHECK(outcome.config->catalog.providers()[0].reveal_key(0) == "sk-from-file");
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
  CHECK(gpt_4o.model->prices ==
        catalog::Prices{.input = 2'500'000, .output = 10'000'000, .cached_input = 1'250'000});
  CHECK(loaded->catalog.resolve("gpt-4o-mini").upstream_model == "gpt-4o-mini-2024-07-18");
  CHECK(loaded->catalog.resolve("text-embedding-3-small")
            .model->serves(catalog::Endpoint::embeddings));
  CHECK(loaded->catalog.resolve("gpt-3.5-turbo-instruct")
            .model->serves(catalog::Endpoint::completions));
  for (const catalog::Model& model : loaded->catalog.models()) {
    CAPTURE(model.id);
    // Google's research agents have an API of their own.
    CHECK((model.endpoints == 0) == model.id.starts_with("deep-research"));
    CHECK(catalog::is_model_name(model.id));
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
