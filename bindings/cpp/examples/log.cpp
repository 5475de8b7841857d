// Logs its arguments, and waits until they are delivered. Settings come from the environment.

#include <logflux.hpp>

#include <iostream>

int main(int argc, char **argv) {
  using namespace std::chrono_literals;
  try {
    auto config = logflux::config::from_env().value();
    config.on_drop([](const logflux::dropped &dropped) {
      std::cerr << dropped.total << " messages were dropped\n";
    }).value();
    const auto client = logflux::client::create(config).value();
    client.notice("the program starts");
    for (int i = 1; i < argc; ++i) {
      client.info(argv[i]);
    }
    client.close(5s).value();
    std::cout << client.stats().delivered << " delivered\n";
  } catch (const logflux::exception &error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
