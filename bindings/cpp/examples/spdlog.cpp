// A program that logs through spdlog, and so through LogFlux.

#include <logflux/spdlog_sink.hpp>

#include <spdlog/spdlog.h>

#include <iostream>

int main() {
  try {
    auto client = std::make_shared<logflux::client>(
        logflux::client::create(logflux::config::from_env().value()).value());
    auto sink = std::make_shared<logflux::spdlog_sink_mt>(client);
    // LogFlux carries level and time beside the message.
    sink->set_pattern("[%n] %v");
    spdlog::logger logger("shop", sink);
    logger.set_level(spdlog::level::debug);
    logger.info("order {} taken", 4711);
    logger.error("card refused: {}", "expired");
    logger.flush();
    std::cout << client->stats().delivered << " delivered\n";
  } catch (const std::exception &error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
