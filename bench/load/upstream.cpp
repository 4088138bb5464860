#include "load/upstream.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "load/clock.h"
#include "load/message.h"
#include "load/sockets.h"

namespace hyperion::bench {

namespace {

constexpr size_t receive_size_bytes = 256 * 1024;
constexpr size_t opening_size_bytes = 512;
// A planted fault strikes one answer in this many.
constexpr uint64_t plant_interval = 16;

constexpr std::string_view length_required =
    "HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
constexpr std::string_view server_error =
    "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\n"
    "Content-Length: 29\r\n\r\n{\"error\":{\"message\":\"planted\"}";

// One thread, one receive at a time: all connections share it.
char receive_buffer[receive_size_bytes];

}  // namespace

class UpstreamConnection final : public Handler {
 public:
  UpstreamConnection(Upstream& upstream, int descriptor)
      : upstream_(upstream), descriptor_(descriptor) {}
  ~UpstreamConnection() { close(descriptor_); }

  void on_ready(uint32_t epoll_events) override;

  // The next event of the open stream, its send time read from the clock just before the write.
  void send_event();

  int descriptor() const { return descriptor_; }
  bool stream_open() const { return stream_open_; }

 private:
  bool on_head(const Head& head);
  void append_event(std::string& out, int64_t now);

  // Each returns false when the connection has been ended, and with it this object.
  bool on_bytes(std::string_view data);
  bool on_body_end();
  bool start_stream();
  bool send(std::string_view bytes);
  bool refuse();
  bool end();

  bool plant_strikes(Plant plant) const {
    return upstream_.behaviour_.plant == plant &&
           upstream_.counts_.requests % plant_interval == plant_interval - 1;
  }

  Upstream& upstream_;
  const int descriptor_;
  HeadGatherer head_;
  BodyReader body_;
  Outbox outbox_;
  bool in_body_ = false;
  bool body_as_expected_ = false;
  size_t body_bytes_ = 0;
  char opening_[opening_size_bytes];
  bool stream_open_ = false;
  uint32_t events_left_ = 0;
  int64_t next_event_ns_ = 0;
};

void UpstreamConnection::on_ready(uint32_t epoll_events) {
  if ((epoll_events & EPOLLOUT) != 0) {
    if (!outbox_.flush(descriptor_)) {
      end();
      return;
    }
    if (outbox_.empty()) upstream_.loop_.modify(descriptor_, EPOLLIN, this);
  }
  if ((epoll_events & ~static_cast<uint32_t>(EPOLLOUT)) == 0) return;
  const ssize_t received = recv(descriptor_, receive_buffer, sizeof receive_buffer, 0);
  if (received < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (received <= 0) {
    end();
    return;
  }
  on_bytes({receive_buffer, static_cast<size_t>(received)});
}

bool UpstreamConnection::on_bytes(std::string_view data) {
  while (!data.empty()) {
    if (stream_open_) return refuse();
    if (!in_body_) {
      Head head;
      const HeadGatherer::Result result = head_.take(data, head);
      if (result == HeadGatherer::Result::more) return true;
      if (result == HeadGatherer::Result::bad || !on_head(head)) return refuse();
    }
    while (!body_.done()) {
      const std::string_view piece = body_.next(data);
      if (piece.empty()) return true;
      const std::string& expected = upstream_.behaviour_.expected_body;
      if (body_bytes_ < opening_size_bytes) {
        std::memcpy(opening_ + body_bytes_, piece.data(),
                    std::min(piece.size(), opening_size_bytes - body_bytes_));
      }
      body_as_expected_ =
          body_as_expected_ && body_bytes_ + piece.size() <= expected.size() &&
          std::memcmp(expected.data() + body_bytes_, piece.data(), piece.size()) == 0;
      body_bytes_ += piece.size();
    }
    in_body_ = false;
    if (!on_body_end()) return false;
  }
  return true;
}

bool UpstreamConnection::on_head(const Head& head) {
  if (!head.start_line.starts_with("POST /v1/chat/completions ")) return false;
  if (head.chunked || !body_.begin(head)) return false;
  in_body_ = true;
  body_bytes_ = 0;
  const std::string& expected = upstream_.behaviour_.expected_body;
  body_as_expected_ = static_cast<size_t>(head.content_length) == expected.size();
  return true;
}

bool UpstreamConnection::on_body_end() {
  upstream_.counts_.requests++;
  if (!body_as_expected_) upstream_.counts_.altered++;
  if (asks_for_stream({opening_, std::min(body_bytes_, opening_size_bytes)})) return start_stream();
  if (plant_strikes(Plant::server_error)) return send(server_error);
  if (plant_strikes(Plant::early_close)) return end();
  if (plant_strikes(Plant::short_body)) {
    std::string_view answer = upstream_.plain_answer_;
    answer.remove_suffix(1);
    return send(answer) && end();
  }
  if (plant_strikes(Plant::wrong_byte)) {
    std::string answer = upstream_.plain_answer_;
    answer[answer.size() - 10] ^= 1;
    return send(answer);
  }
  return send(upstream_.plain_answer_);
}

bool UpstreamConnection::start_stream() {
  const UpstreamBehaviour& behaviour = upstream_.behaviour_;
  std::string start = upstream_.stream_head_;
  const int64_t now = now_ns();
  const uint32_t events_at_once = behaviour.gap_ns == 0 ? behaviour.events : 1;
  for (uint32_t index = 0; index < events_at_once; index++) append_event(start, now);
  events_left_ = behaviour.events - events_at_once;
  if (events_left_ == 0) return send(start + upstream_.tail_chunk_);
  stream_open_ = true;
  next_event_ns_ = now + behaviour.gap_ns;
  upstream_.due_.push_back({next_event_ns_, this});
  return send(start);
}

void UpstreamConnection::send_event() {
  std::string chunk;
  append_event(chunk, now_ns());
  if (plant_strikes(Plant::wrong_event)) chunk[chunk.size() - 8] ^= 1;
  if (--events_left_ == 0) {
    stream_open_ = false;
    send(chunk + upstream_.tail_chunk_);
    return;
  }
  next_event_ns_ += upstream_.behaviour_.gap_ns;
  upstream_.due_.push_back({next_event_ns_, this});
  send(chunk);
}

void UpstreamConnection::append_event(std::string& out, int64_t now) {
  const size_t begin = out.size();
  out += upstream_.event_chunk_;
  write_stamp(out.data() + begin + upstream_.event_chunk_stamp_, now);
  upstream_.counts_.events++;
}

bool UpstreamConnection::send(std::string_view bytes) {
  const bool was_empty = outbox_.empty();
  if (!outbox_.send(descriptor_, bytes)) return end();
  if (was_empty && !outbox_.empty()) {
    upstream_.loop_.modify(descriptor_, EPOLLIN | EPOLLOUT, this);
  }
  return true;
}

bool UpstreamConnection::refuse() {
  upstream_.counts_.malformed++;
  return send(length_required) && end();
}

bool UpstreamConnection::end() {
  if (stream_open_ || in_body_) upstream_.counts_.abandoned++;
  upstream_.forget(this);
  return false;
}

Upstream::Upstream(Loop& loop, std::string_view model) : loop_(loop), stream_(model) {
  const std::string body = make_answer_body(model);
  const std::string common =
      "HTTP/1.1 200 OK\r\nX-Request-Id: req_0123456789abcdef0123456789abcdef\r\n"
      "Openai-Processing-Ms: 12\r\n";
  plain_answer_ =
      common + "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n" + body;
  // X-Accel-Buffering is how servers of event streams tell nginx not to hold events back.
  stream_head_ = common +
                 "Content-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
                 "X-Accel-Buffering: no\r\nTransfer-Encoding: chunked\r\n\r\n";
  event_chunk_ = as_chunk(stream_.event);
  event_chunk_stamp_ = event_chunk_.find(stream_.event) + stream_.stamp_offset;
  tail_chunk_ = as_chunk(stream_.tail) + "0\r\n\r\n";
}

Upstream::~Upstream() {
  if (listener_ >= 0) close(listener_);
}

bool Upstream::listen(uint16_t& port) {
  listener_ = listen_on_loopback(port);
  return listener_ >= 0 && loop_.add(listener_, EPOLLIN, this);
}

void Upstream::on_ready(uint32_t) {
  while (true) {
    const int descriptor = accept_connection(listener_);
    if (descriptor < 0) return;
    counts_.connections++;
    auto connection = std::make_unique<UpstreamConnection>(*this, descriptor);
    loop_.add(descriptor, EPOLLIN, connection.get());
    connections_.emplace(connection.get(), std::move(connection));
  }
}

bool Upstream::run_due(int64_t now) {
  const bool any = !due_.empty() && due_.front().time_ns <= now;
  while (!due_.empty() && due_.front().time_ns <= now) {
    UpstreamConnection* connection = due_.front().connection;
    due_.pop_front();
    connection->send_event();
  }
  return any;
}

int64_t Upstream::wait_ns(int64_t now) const {
  if (due_.empty()) return -1;
  return std::max<int64_t>(due_.front().time_ns - now, 0);
}

void Upstream::forget(UpstreamConnection* connection) {
  loop_.remove(connection->descriptor());
  if (connection->stream_open()) {
    std::erase_if(due_, [connection](const Due& due) { return due.connection == connection; });
  }
  connections_.erase(connection);
}

}  // namespace hyperion::bench
