#include "gateway/relay.h"

#include "base/assert.h"

namespace hyperion::gateway {

bool Relay::begin_head(uint16_t status) {
  HYPERION_ASSERT(!head_sent_);
  status_ = status;
  char* place = stream_->output().reserve(head_size_max_bytes);
  if (place == nullptr) return false;
  writer_ = http::HeadWriter(place, head_size_max_bytes);
  writer_.status_line(status);
  return true;
}

bool Relay::end_head(uint64_t length) {
  if (length == unknown_length && minor_version_ > 0) {
    chunked_ = true;
    writer_.raw("transfer-encoding: chunked\r\n");
  } else if (length == unknown_length) {
    close_delimited_ = true;
    keep_alive_ = false;  // HTTP/1.0: the end of the connection is the end of the answer
  } else if (!bodiless(status_)) {
    writer_.header("content-length", length);
  }
  if (!keep_alive_) {
    writer_.raw("connection: close\r\n");
  } else if (minor_version_ == 0) {
    writer_.raw("connection: keep-alive\r\n");
  }
  writer_.end();
  if (!writer_.complete()) return false;
  stream_->output().commit(writer_.size());
  head_sent_ = true;
  return true;
}

bool Relay::body(std::string_view bytes) {
  if (bytes.empty() || answers_head_) return true;
  io::WriteQueue& output = stream_->output();
  if (!chunked_) return output.append_copy(bytes);
  char head[20];
  size_t size = http::write_chunk_head(head, bytes.size());
  return output.append_copy({head, size}) && output.append_copy(bytes) &&
         output.append_copy(http::chunk_tail);
}

bool Relay::end() {
  if (!chunked_ || answers_head_) return true;
  return stream_->output().append_copy(http::last_chunk);
}

}  // namespace hyperion::gateway
