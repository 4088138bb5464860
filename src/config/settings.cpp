#include "config/settings.h"

namespace hyperion::config {
namespace {

io::Address loopback(uint16_t port) { return io::Address::from_ip("127.0.0.1", port).value(); }

}  // namespace

Settings::Settings() {
  server.listen.push_back(loopback(8080));
  admin.listen = loopback(8081);
  simulator.listen = loopback(9090);
}

}  // namespace hyperion::config
