// [routing] calibration_file: what is taken from it, and what its writer is told of a wrong one.
#include <doctest/doctest.h>

#include "config/support.h"

using namespace hyperion;
using namespace hyperion::config;
using namespace hyperion::test;

using routing::Calibration;
using routing::Kind;

namespace {

constexpr std::string_view conf = "[routing]\ncalibration_file = \"learned.toml\"\n";

std::string stamp() {
  static const std::string stamp = Config::defaults()->weights->stamp();
  return "weights_stamp = \"" + stamp + "\"\n";
}

std::string weights(size_t count, const std::string& first = "-7") {
  std::string text = "weights = [" + first;
  for (size_t i = 1; i < count; ++i) text += ", " + std::to_string(i);
  return text + "]\n";
}

std::string entry(const std::string& weights, const std::string& kind = "code") {
  return "[[calibrations]]\nkey = \"search\"\nclass = \"" + kind + "\"\nlabels = 300\n" + weights;
}

World with(const std::string& file) {
  World world;
  world.files["learned.toml"] = file;
  return world;
}

const std::string right = weights(Calibration::weight_count);

}  // namespace

TEST_CASE("without a file nothing is calibrated") {
  CHECK(accepted("")->calibrations.empty());
  CHECK(accepted(conf, with(stamp()))->calibrations.empty());
}

TEST_CASE("a calibration is taken as it stands in the file") {
  const auto loaded = accepted(conf, with(stamp() + entry(right) + entry(right, "chat")));
  REQUIRE(loaded->calibrations.size() == 2);
  const Calibration& first = loaded->calibrations[0];
  CHECK(first.key == "search");
  CHECK(first.kind == Kind::code);
  CHECK(first.labels == 300);
  CHECK(first.weights[0] == -7);
  CHECK(first.weights[1] == 1);
  CHECK(first.weights.back() == static_cast<int16_t>(Calibration::weight_count - 1));
  CHECK(loaded->calibrations[1].kind == Kind::chat);
}

TEST_CASE("a file that is not there, or is no TOML, is named with its line") {
  CHECK(contains(refusal(conf), "routing.calibration_file: learned.toml cannot be read"));
  const std::string garbage = refusal(conf, with(stamp() + "[[calibrations]\n"));
  CHECK(contains(garbage, "test.toml:2: routing.calibration_file: "));
  CHECK(contains(garbage, "learned.toml:2: "));
  CHECK(contains(refusal(conf, with("\x7f\x45\x4c\x46\x02")), "learned.toml:1: "));
}

TEST_CASE("what was learned for other weights is refused, and how to mend it is said") {
  const std::string other = refusal(conf, with("\nweights_stamp = \"0123456789abcdef\"\n"));
  CHECK(contains(other, "learned.toml:2: expected weights_stamp to be that of the weights in use"));
  CHECK(contains(other, "hyperion feedback"));
  CHECK(contains(refusal(conf, with(entry(right))), "learned.toml:1: expected weights_stamp"));
  CHECK(contains(refusal(conf, with("weights_stamp = 7\n")), "learned.toml:1: expected"));
}

TEST_CASE("every wrong entry is refused with its line and what was expected") {
  // The second entry begins on line 7.
  const std::string good = stamp() + entry(right);
  const auto says = [&](const std::string& second, std::string_view expected) {
    const std::string error = refusal(conf, with(good + second));
    CHECK_MESSAGE(contains(error, "learned.toml:7: "), error);
    CHECK_MESSAGE(contains(error, expected), error);
  };
  const std::string count = std::to_string(Calibration::weight_count);
  for (const size_t number :
       {size_t{1}, Calibration::weight_count - 1, Calibration::weight_count + 1})
    says(entry(weights(number)), "expected " + count + " weights, given another number");
  says(entry("weights = []\n"), "weights, given another number");
  says(entry(weights(Calibration::weight_count, "40000")), "whole numbers from -32768 to 32767");
  says(entry(weights(Calibration::weight_count, "0.5")), "whole numbers from -32768 to 32767");
  says(entry(right, "poetry"), "class: expected one of tool_use long_context code");
  says(entry(""), "expected key, class, labels and weights");
  says(entry(right + "more = 1\n"), "expected key, class, labels and weights");
  says("[[calibrations]]\nkey = 5\n", "expected key, class, labels and weights");
  says("[[calibrations]]\n", "expected key, class, labels and weights");
}

TEST_CASE("other keys of the file are refused, never passed over") {
  CHECK(contains(refusal(conf, with(stamp() + "calibration = 1\n")),
                 "learned.toml:2: unknown key calibration"));
  CHECK(contains(refusal(conf, with(stamp() + "calibrations = 1\n")),
                 "learned.toml:2: expected entries"));
}
