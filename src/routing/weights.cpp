#include "routing/weights.h"

#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "routing/weight_tables.h"

namespace hyperion::routing {
namespace {

static_assert(std::endian::native == std::endian::little, "weights are read as they stand");

struct FileHead {
  char magic[8];
  uint32_t version;
  uint32_t size;      // of the file
  uint32_t checksum;  // of everything behind this head
  uint32_t traits;
  uint32_t columns;
  uint32_t bucket_bits;
  uint32_t known_bits;
  uint32_t fixed_size;
};
constexpr char magic[8] = {'h', 'y', 'p', 'w', 'e', 'i', 'g', 'h'};
constexpr size_t known_bytes = size_t{1} << known_bits >> 3;

consteval auto make_remainders() {
  std::array<uint32_t, 256> remainders{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit)
      value = (value & 1) != 0 ? value >> 1 ^ 0xEDB88320u : value >> 1;
    remainders[i] = value;
  }
  return remainders;
}
constexpr auto remainders = make_remainders();

// CRC-32 of IEEE 802.3, as zlib's.
uint32_t checksum(std::string_view bytes) {
  uint32_t value = 0xFFFFFFFFu;
  for (char c : bytes)
    value = remainders[(value ^ static_cast<unsigned char>(c)) & 0xFF] ^ value >> 8;
  return ~value;
}

// FNV-1a of 64 bits: tells files apart, keeps out nobody.
std::string stamp_of(std::string_view bytes) {
  uint64_t hash = 14695981039346656037u;
  for (char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  std::string text(16, '0');
  for (size_t i = 0; i < 16; ++i) text[i] = "0123456789abcdef"[hash >> (60 - 4 * i) & 15];
  return text;
}

bool refuse(std::string& problem, std::string text) {
  problem = std::move(text);
  return false;
}

bool check_head(std::string_view bytes, FileHead& head, std::string& problem) {
  if (bytes.size() < sizeof(head) || std::memcmp(bytes.data(), magic, sizeof(magic)) != 0)
    return refuse(problem, "this is no file of routing weights");
  std::memcpy(&head, bytes.data(), sizeof(head));
  if (head.version != weights_version) {
    return refuse(problem, "these routing weights are of version " + std::to_string(head.version) +
                               ", expected " + std::to_string(weights_version) +
                               ": train them again with this release's bench/routing/train");
  }
  if (head.traits != trait_count || head.columns != column_count ||
      head.bucket_bits != bucket_bits || head.known_bits != known_bits ||
      head.fixed_size != sizeof(WeightTables::Fixed)) {
    return refuse(problem,
                  "these routing weights were trained on other features than this release reads: "
                  "train them again with its bench/routing/train");
  }
  if (head.size != bytes.size()) {
    return refuse(problem, "these routing weights say that they have " + std::to_string(head.size) +
                               " bytes, and have " + std::to_string(bytes.size()));
  }
  if (head.checksum != checksum(bytes.substr(sizeof(head))))
    return refuse(problem, "these routing weights are damaged: their checksum does not fit");
  return true;
}

bool check_fixed(const WeightTables::Fixed& fixed, std::string& problem) {
  if (fixed.tree_count > WeightTables::tree_count_max ||
      fixed.tree_depth > WeightTables::tree_depth_max)
    return refuse(problem, "these routing weights have more or deeper trees than can be used");
  for (int32_t scale : fixed.word_scale) {
    if (scale < 0 || scale >= 1 << 24)
      return refuse(problem, "these routing weights give words more weight than sums can hold");
  }
  for (const LengthCurve& curve : fixed.lengths) {
    if (curve.slope < 0 || curve.slope > 1 << 20 || curve.low > curve.high)
      return refuse(problem, "these routing weights make longer prompts easier");
  }
  for (size_t i = 1; i < fixed.curve.size(); ++i) {
    const bool rises = fixed.curve[i].sum > fixed.curve[i - 1].sum &&
                       fixed.curve[i].difficulty >= fixed.curve[i - 1].difficulty;
    if (!rises) return refuse(problem, "the difficulty of these routing weights does not rise");
  }
  return true;
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  bool take(void* to, size_t size) {
    if (bytes_.size() < size) return false;
    if (size > 0) std::memcpy(to, bytes_.data(), size);
    bytes_.remove_prefix(size);
    return true;
  }
  bool empty() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
};

bool read_tables(Reader reader, WeightTables& tables, std::string& problem) {
  WeightTables::Fixed& fixed = tables.fixed;
  if (!reader.take(&fixed, sizeof(fixed))) return refuse(problem, "these routing weights are cut");
  if (!check_fixed(fixed, problem)) return false;
  if (!tables.scales.build(fixed.scales))
    return refuse(problem, "these routing weights scale a trait beyond sixteen bits");
  tables.rows.resize(bucket_count);
  const size_t leaves_per_tree = size_t{1} << fixed.tree_depth;
  std::vector<TreeNode> nodes(fixed.tree_count * (leaves_per_tree - 1));
  std::vector<int16_t> leaves(fixed.tree_count * leaves_per_tree);
  tables.known_words.resize(known_bytes);
  const bool whole =
      reader.take(tables.rows.data(), tables.rows.size() * sizeof(WeightTables::Row)) &&
      reader.take(nodes.data(), nodes.size() * sizeof(TreeNode)) &&
      reader.take(leaves.data(), leaves.size() * sizeof(int16_t)) &&
      reader.take(tables.known_words.data(), known_bytes) && reader.empty();
  if (!whole) return refuse(problem, "these routing weights are cut");
  for (const TreeNode& node : nodes) {
    if (node.trait >= trait_count)
      return refuse(problem, "these routing weights ask for a trait that prompts do not have");
  }
  tables.forest.build(nodes, leaves, fixed.tree_depth);
  return true;
}

}  // namespace

Weights::Weights() : tables_(new WeightTables) {}
Weights::~Weights() = default;

std::shared_ptr<const Weights> Weights::parse(std::string_view bytes, std::string& problem) {
  FileHead head;
  if (!check_head(bytes, head, problem)) return nullptr;
  std::shared_ptr<Weights> weights(new Weights);
  if (!read_tables(Reader(bytes.substr(sizeof(head))), *weights->tables_, problem)) return nullptr;
  weights->stamp_ = stamp_of(bytes);
  return weights;
}

}  // namespace hyperion::routing
