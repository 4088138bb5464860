#include "dialect/request.h"

namespace hyperion::dialect {
namespace {

constexpr int64_t bytes_per_token = 4;
constexpr int64_t tokens_per_attachment = 1'600;
constexpr int64_t tokens_per_message = 4;  // its role and its ends

struct Sum {
  int64_t bytes = 0;
  int64_t tokens = 0;
};

void add(Sum& sum, const Part& part) {
  sum.bytes += static_cast<int64_t>(part.text.bytes.size() + part.name.size() +
                                    part.arguments.bytes.size() + part.json.bytes.size());
  const bool attached = part.data.given() || part.url.given() || !part.file_id.empty();
  if (attached) sum.tokens += tokens_per_attachment;
  for (const Part* inner = part.content.first; inner != nullptr; inner = inner->next)
    add(sum, *inner);
}

}  // namespace

bool names_unsent_tool(const Request& request) {
  if (request.tool_choice != ToolChoice::named) return false;
  for (const Tool* tool = request.tools.first; tool != nullptr; tool = tool->next) {
    if (tool->kind == Tool::Kind::function && tool->name == request.tool_choice_name) return false;
  }
  return true;
}

int64_t estimate_tokens(const Request& request) {
  Sum sum;
  for (const Message* message = request.messages.first; message != nullptr;
       message = message->next) {
    sum.tokens += tokens_per_message;
    for (const Part* part = message->parts.first; part != nullptr; part = part->next)
      add(sum, *part);
  }
  for (const Tool* tool = request.tools.first; tool != nullptr; tool = tool->next) {
    sum.bytes += static_cast<int64_t>(tool->name.size() + tool->description.bytes.size() +
                                      tool->schema.bytes.size() + tool->definition.bytes.size());
    sum.tokens += tokens_per_message;
  }
  sum.bytes += static_cast<int64_t>(request.schema.bytes.size());
  return sum.tokens + (sum.bytes + bytes_per_token - 1) / bytes_per_token;
}

}  // namespace hyperion::dialect
