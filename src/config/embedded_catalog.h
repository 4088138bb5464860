// The model catalogue that is built into the binary: conf/models.toml as it was at build time.
//
// So that `hyperion demo` and a conf of three lines work from any folder. The conf's `catalog_file`
// replaces it. The text is written into a source file by embed_text.py when the project is built;
// it is static and never changes, and reading it can fail in no way that a test does not find.
#pragma once

#include <string_view>

namespace hyperion::config {

extern const std::string_view embedded_catalog;

}  // namespace hyperion::config
