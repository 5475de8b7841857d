// A sink for spdlog: what a program logs through spdlog is sealed and shipped by LogFlux. Header-only
// and C++17; spdlog itself is the program's to find.

#ifndef LOGFLUX_SPDLOG_SINK_HPP
#define LOGFLUX_SPDLOG_SINK_HPP

#if defined(_MSVC_LANG) ? _MSVC_LANG < 201703L : __cplusplus < 201703L
#error "logflux/spdlog_sink.hpp needs C++17 or later: compile with -std=c++17"
#else

#include <logflux.hpp>

#include <spdlog/sinks/base_sink.h>

#include <memory>
#include <mutex>
#include <string_view>

namespace logflux {

/// spdlog's flush waits until what was logged is delivered, for `flush_within` at most. A client can
/// be logged through from any thread, so that no mutex is needed: use it with spdlog::details::null_mutex
/// where the formatter is not shared, or as spdlog_sink_mt.
template <class Mutex> class spdlog_sink final : public spdlog::sinks::base_sink<Mutex> {
public:
  explicit spdlog_sink(std::shared_ptr<const client> client,
                       milliseconds flush_within = std::chrono::seconds(5))
      : client_(std::move(client)), flush_within_(flush_within) {}

protected:
  void sink_it_(const spdlog::details::log_msg &message) override {
    if (!client_->is_enabled(to_level(message.level))) {
      return;
    }
    spdlog::memory_buf_t text;
    this->formatter_->format(message, text);
    std::string_view line(text.data(), text.size());
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) {
      line.remove_suffix(1);
    }
    // Dropped messages are counted by the client; a logging call has nobody to tell.
    (void)client_->log_at(to_level(message.level), at(message.time), line);
  }

  void flush_() override {
    if (auto flushed = client_->flush(flush_within_); !flushed) {
      throw spdlog::spdlog_ex(flushed.error().message());
    }
  }

private:
  static level to_level(spdlog::level::level_enum of) noexcept {
    switch (of) {
    case spdlog::level::critical:
      return level::critical;
    case spdlog::level::err:
      return level::error;
    case spdlog::level::warn:
      return level::warning;
    case spdlog::level::info:
      return level::info;
    default:
      return level::debug;
    }
  }

  std::shared_ptr<const client> client_;
  milliseconds flush_within_;
};

using spdlog_sink_mt = spdlog_sink<std::mutex>;

} // namespace logflux

#endif // C++17
#endif // LOGFLUX_SPDLOG_SINK_HPP
