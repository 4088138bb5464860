#include "catalog/name_table.h"

#include <string>

#include <doctest/doctest.h>

using namespace hyperion::catalog;

TEST_CASE("the first insertion of a name wins") {
  NameTable table;
  CHECK(table.insert("gpt-4o", Match::alias, 1, 2));
  CHECK_FALSE(table.insert("gpt-4o", Match::series, 3, 4));
  const Name* found = table.find("gpt-4o");
  REQUIRE(found != nullptr);
  CHECK(found->match == Match::alias);
  CHECK(found->deployment == 1);
  CHECK(found->model == 2);
  CHECK(table.text(*found) == "gpt-4o");
}

TEST_CASE("every name of a large table is found, and no other") {
  NameTable table;
  for (int i = 0; i < 5000; ++i) {
    REQUIRE(
        table.insert("model-" + std::to_string(i), Match::plain_id, static_cast<uint16_t>(i), 0));
  }
  for (int i = 0; i < 5000; ++i) {
    const Name* found = table.find("model-" + std::to_string(i));
    REQUIRE(found != nullptr);
    REQUIRE(found->deployment == i);
    REQUIRE(table.find("model-" + std::to_string(i) + "x") == nullptr);
    REQUIRE(table.find("Model-" + std::to_string(i)) == nullptr);
  }
}

TEST_CASE("an empty table, empty names, zero bytes and names that are too long") {
  NameTable table;
  CHECK(table.find("gpt-4o") == nullptr);
  CHECK(table.find("") == nullptr);
  CHECK_FALSE(table.insert("", Match::alias, 0, 0));
  CHECK(table.insert(std::string(name_size_max_bytes, 'a'), Match::alias, 0, 0));
  CHECK_FALSE(table.insert(std::string(name_size_max_bytes + 1, 'a'), Match::alias, 0, 0));
  CHECK(table.find(std::string(name_size_max_bytes + 1, 'a')) == nullptr);
  CHECK(table.insert(std::string_view("a\0b", 3), Match::alias, 7, 0));
  CHECK(table.find("a") == nullptr);
  CHECK(table.find(std::string_view("a\0c", 3)) == nullptr);
  REQUIRE(table.find(std::string_view("a\0b", 3)) != nullptr);
}
