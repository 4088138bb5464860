#include "server/demo_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace hyperion::server {
namespace {

constexpr int patience_ms = 10'000;

std::string exchange_bytes(const io::Address& gateway, const std::string& request,
                           std::string& problem) {
  std::string bytes;
  const int connection = socket(gateway.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection < 0 || connect(connection, gateway.get(), gateway.size) != 0) {
    problem = "cannot connect to " + gateway.text();
  } else if (send(connection, request.data(), request.size(), MSG_NOSIGNAL) !=
             static_cast<ssize_t>(request.size())) {
    problem = "cannot send to " + gateway.text();
  }
  while (problem.empty()) {
    pollfd ready = {connection, POLLIN, 0};
    if (poll(&ready, 1, patience_ms) <= 0) {
      problem = "no answer within 10 seconds";
      break;
    }
    char buffer[16 * 1024];
    const ssize_t got = recv(connection, buffer, sizeof(buffer), 0);
    if (got <= 0) break;
    bytes.append(buffer, static_cast<size_t>(got));
  }
  if (connection >= 0) close(connection);
  return bytes;
}

void read_chunks(std::string_view bytes, Received& received) {
  size_t line_end;
  while ((line_end = bytes.find("\r\n")) != std::string_view::npos) {
    const std::string line(bytes.substr(0, line_end));
    const size_t size = std::strtoull(line.c_str(), nullptr, 16);
    bytes.remove_prefix(line_end + 2);
    if (size == 0) {
      received.complete = true;
      return;
    }
    received.body += bytes.substr(0, size);
    if (bytes.size() < size + 2) return;
    bytes.remove_prefix(size + 2);
  }
}

}  // namespace

std::string header_of(const std::string& head, const std::string& name) {
  const size_t at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  const size_t begin = at + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

Received ask(const io::Address& gateway, const DemoRequest& asked) {
  std::string request = std::string(asked.method) + " " + asked.target +
                        " HTTP/1.1\r\nhost: " + gateway.text() + "\r\nauthorization: Bearer " +
                        demo_key + "\r\n";
  if (asked.fault != nullptr) request += std::string("x-hyperion-fault: ") + asked.fault + "\r\n";
  const std::string body = asked.body;
  request += "content-type: application/json\r\ncontent-length: " + std::to_string(body.size()) +
             "\r\nconnection: close\r\n\r\n" + body;
  Received received;
  const std::string bytes = exchange_bytes(gateway, request, received.problem);
  const size_t head_end = bytes.find("\r\n\r\n");
  if (head_end == std::string::npos) {
    if (received.problem.empty()) received.problem = "the connection closed without an answer";
    return received;
  }
  received.head = bytes.substr(0, head_end + 2);
  received.status_line = received.head.substr(0, received.head.find("\r\n"));
  if (received.status_line.size() > 9) received.status = std::atoi(&received.status_line[9]);
  const std::string_view rest = std::string_view(bytes).substr(head_end + 4);
  if (header_of(received.head, "transfer-encoding") == "chunked") {
    read_chunks(rest, received);
  } else {
    received.body = rest;
    received.complete = std::to_string(rest.size()) == header_of(received.head, "content-length");
  }
  return received;
}

}  // namespace hyperion::server
