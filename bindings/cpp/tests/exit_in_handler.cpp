// Ends in the handler of a signal, with a client whose destructor runs at the end of the process.

#include <logflux.hpp>

#include <csignal>
#include <cstdlib>
#include <optional>

#include <unistd.h>

static std::optional<logflux::client> client;

extern "C" void end_in_handler(int) { std::exit(7); }

int main() {
  // Runs after the library's own handler, since it is there before the first client.
  static struct destroyer {
    ~destroyer() { client.reset(); }
  } destroys;
  (void)destroys;
  auto config = logflux::config::from_env().value();
  client.emplace(logflux::client::create(config).value());
  // Runs before it, as the destructor of a static client does.
  std::atexit([] { client.reset(); });
  std::signal(SIGTERM, end_in_handler);
  if (write(STDOUT_FILENO, "ready\n", 6) != 6) {
    return 1;
  }
  for (;;) {
    client->info("busy");
    (void)client->stats();
  }
}
