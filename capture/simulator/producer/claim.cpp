// The claim on a camera: an abstract unix socket name, one owner per machine.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "modules.h"

namespace simulator {
namespace {

socklen_t address_of(const std::string& serial, sockaddr_un& address) {
  const std::string name = "dfme-simulator-" + serial;
  address = {};
  address.sun_family = AF_UNIX;
  const size_t length = std::min(name.size(), sizeof address.sun_path - 1);
  std::memcpy(address.sun_path + 1, name.data(), length);
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
}

int open_socket() {
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) throw Failure(GC_ERR_RESOURCE_EXHAUSTED, std::string("no socket to be had: ") + std::strerror(errno));
  return socket;
}

}  // namespace

std::optional<Claim> Claim::take(const std::string& serial) {
  sockaddr_un address{};
  const socklen_t length = address_of(serial, address);
  Claim claim(open_socket());
  if (::bind(claim.socket_, reinterpret_cast<const sockaddr*>(&address), length) == 0) return claim;
  if (errno == EADDRINUSE) return std::nullopt;
  throw Failure(GC_ERR_ERROR, "the camera cannot be claimed: " + std::string(std::strerror(errno)));
}

bool Claim::taken(const std::string& serial) {
  sockaddr_un address{};
  const socklen_t length = address_of(serial, address);
  const Claim probe(open_socket());
  return ::connect(probe.socket_, reinterpret_cast<const sockaddr*>(&address), length) == 0;
}

Claim::~Claim() {
  if (socket_ >= 0) ::close(socket_);
}

}  // namespace simulator
