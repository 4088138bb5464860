// What is refused, with the line and the remedy; what is only warned about.
#include <doctest/doctest.h>

#include "config/support.h"

using namespace hyperion;
using namespace hyperion::config;
using namespace hyperion::test;

namespace {

// Texts, and what the one who wrote them is told.
const struct {
  std::string text;
  std::string_view error;
} refusals[] = {
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
    {"[memory]\nrefuse_at_percent = 96\n", "unknown key here: it belongs to [admission]"},
    {"[admission]\nrefuse_at_percent = 96\n",
     "test.toml:2: admission.refuse_at_percent: expected at most stop_accept_at_percent, which is "
     "95"},
    {"[admission]\nrefuse_at_percent = 70\n",
     "admission.shed_low_at_percent: expected at most refuse_at_percent, which is 70"},
    {"[admission]\nshed_low_at_percent = 4\n",
     "admission.hysteresis_percent: expected at most shed_low_at_percent, which is 4"},
    {"[admission]\n\nretry_after_min_s = 9\n",
     "test.toml:3: admission.retry_after_min_s: expected at most retry_after_max_s, which is 5"},
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
     "expected one of \"openai\", \"anthropic\", \"gemini\", given \"klingon\""},
    {"[[providers]]\nname = \"openai\"\nvertex = true\n",
     "test.toml:3: providers.vertex: is of use with dialect = \"gemini\" only"},
    {"[[providers]]\nname = \"g\"\ndialect = \"gemini\"\nbase_url = \"http://h/v1\"\nvertex = "
     "true\n"
     "discovery = true\n",
     "test.toml:6: providers.discovery: is of no use with vertex = true"},
    {"[upstream]\nconnections_per_shard_max = 1\n[[providers]]\nname = \"openai\"\ndiscovery = "
     "true\n",
     "test.toml:5: providers.discovery: needs connections_per_shard_max of at least 2"},
    {"[discovery]\ninterval_s = 0\n", "test.toml:2: discovery.interval_s: expected"},
    {"[[providers]]\nname = \"openai\"\nmax_tokens_field = \"tokens\"\n",
     "expected one of \"max_completion_tokens\", \"max_tokens\", given \"tokens\""},
    {"[[providers]]\nname = \"openai\"\nreasoning_field = \"thoughts\"\n",
     "expected one of \"reasoning_content\", \"reasoning\" or \"\", given \"thoughts\""},
    {"[[providers]]\nname = \"openai\"\napi_version = \"2023\\r\\nx: y\"\n",
     "providers.api_version: expected a name"},
    {"[translation]\nunsupported = \"ignore\"\n",
     "expected one of \"strict\", \"drop\", given \"ignore\""},
    {"[translation]\nfetch_images = true\n", "translation.fetch_images: unknown key"},
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
    {"[[models]]\nid = \"a\"\nfamily = \"y\"\ncapabilities = [\"sight\"]\n",
     "models.capabilities: expected a list of vision, pdf"},
    {"[[models]]\nid = \"a\"\nfamily = \"y\"\ncapabilities = [\"pdf\"]\nlacks = [\"pdf\"]\n",
     "test.toml:5: models.lacks: \"pdf\" stands in capabilities too"},
    {"[[models]]\nid = \"a\"\nfamily = \"y\"\nefforts = [\"hard\"]\n", "given \"hard\""},
    {"[[models]]\nid = \"a\"\nfamily = \"y\"\nplatform_ids = { openrouter = \"a b\" }\n",
     "models.platform_ids: expected a table such as"},
    {"[[models]]\nid = \"a\"\nfamily = \"y\"\nprice_tiers = [{ input_usd_per_million = 1 }]\n",
     "test.toml:4: models.price_tiers: expected above_tokens in each tier"},
    {"[[models]]\nid = \"a\"\nfamily = \"y\"\n"
     "price_tiers = [{ above_tokens = 9 }, { above_tokens = 9 }]\n",
     "expected tiers whose above_tokens rise"},
    {"[[models]]\nid = \"a\"\nfamily = \"y\"\nprice_tiers = [{ above_tokens = 9, price = 1 }]\n",
     "expected in a tier above_tokens and the keys of prices"},
    {"[[models]]\nid = \"a\"\nfamily = \"y\"\n"
     "price_tiers = [{ above_tokens = 9, input_usd_per_million = -1 }]\n",
     "input_usd_per_million: expected US dollars"},
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
    {key_entry("a", "priority = \"urgent\""),
     "keys.priority: expected one of \"low\", \"normal\", \"high\", given \"urgent\""},
    {key_entry("a", "concurrent_requests_max = -1"), "keys.concurrent_requests_max: expected"},
    {"[[keys]]\nid = \"a\"\n", "keys.hash: is missing"},
};

}  // namespace

TEST_CASE("what does not go together is refused, with the line and the remedy") {
  for (const auto& [text, error] : refusals) {
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
