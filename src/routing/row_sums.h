// Adds up rows of sixteen small weights: what the words of a prompt are worth.
//
// Called by the scorer, once for each turn. With what every x86-64 has, sixteen weights at a time;
// by plain loops elsewhere, which a test holds against the other. About two nanoseconds a row.
// Cannot fail.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "routing/weight_tables.h"

namespace hyperion::routing {

using Row = WeightTables::Row;
using RowSums = std::array<int32_t, column_count>;

RowSums sum_rows(std::span<const uint16_t> buckets, std::span<const Row> rows);
using TraitRows = std::array<std::array<int16_t, column_count>, trait_count>;

// Each trait times its row of weights. Traits are at most 256 in size.
RowSums sum_traits(const ScaledTraits& traits, const TraitRows& rows);
RowSums sum_traits_plainly(const ScaledTraits& traits, const TraitRows& rows);

RowSums sum_rows_plainly(std::span<const uint16_t> buckets, std::span<const Row> rows);

}  // namespace hyperion::routing
