/*
 * LogFlux for C++17: owners for the handles of logflux.h, std::string_view for its text, and results
 * that hold a value or a failure. Header-only; link what logflux.h needs.
 *
 *   auto client = logflux::client::create(logflux::config::from_env().value()).value();
 *   client.info("user 4711 logged in");
 *
 * Nothing here throws but result::value(), and what allocates (std::bad_alloc). Without exceptions
 * (-fno-exceptions) value() ends the program where there is none: ask for has_value() first.
 * What each call does, its bounds and its errors are documented in logflux.h.
 */

#ifndef LOGFLUX_HPP
#define LOGFLUX_HPP

/* MSVC says its standard in a macro of its own. */
#if defined(_MSVC_LANG) ? _MSVC_LANG < 201703L : __cplusplus < 201703L
#error "logflux.hpp needs C++17 or later: compile with -std=c++17"
#else

#include <logflux.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#if __has_include(<version>)
#include <version>
#endif
#if defined(__cpp_lib_span)
#include <span>
#endif

namespace logflux {

/// The severities of syslog plus one.
enum class level : std::uint32_t {
  emergency = LOGFLUX_LEVEL_EMERGENCY,
  alert = LOGFLUX_LEVEL_ALERT,
  critical = LOGFLUX_LEVEL_CRITICAL,
  error = LOGFLUX_LEVEL_ERROR,
  warning = LOGFLUX_LEVEL_WARNING,
  notice = LOGFLUX_LEVEL_NOTICE,
  info = LOGFLUX_LEVEL_INFO,
  debug = LOGFLUX_LEVEL_DEBUG
};

/// How an entry is sealed.
enum class mode : std::uint32_t {
  pbkdf2 = LOGFLUX_MODE_PBKDF2,
  scrypt = LOGFLUX_MODE_SCRYPT,
  argon2 = LOGFLUX_MODE_ARGON2,
  chacha20_argon2 = LOGFLUX_MODE_CHACHA20_ARGON2,
  hkdf = LOGFLUX_MODE_HKDF
};

/// What a logging call does when the queue is full.
enum class when_full : std::uint32_t {
  drop_newest = LOGFLUX_WHEN_FULL_DROP_NEWEST,
  drop_oldest = LOGFLUX_WHEN_FULL_DROP_OLDEST,
  block = LOGFLUX_WHEN_FULL_BLOCK
};

/// What becomes of an entry for which a spool has no room.
enum class spool_full : std::uint32_t {
  refuse = LOGFLUX_SPOOL_FULL_REFUSE,
  drop_oldest = LOGFLUX_SPOOL_FULL_DROP_OLDEST
};

using key_policy = logflux_key_policy;
using timestamp = logflux_timestamp;
using dropped = logflux_dropped;
using client_stats = logflux_client_stats;
using sealer_stats = logflux_sealer_stats;
using milliseconds = std::chrono::milliseconds;

/// Every entry has a key of its own.
inline key_policy unique() noexcept { return {LOGFLUX_POLICY_KIND_UNIQUE, 0, 0, 0}; }
/// Own keys within the budget, a part of one core; then shared ones.
inline key_policy adaptive(double budget, std::uint64_t max_entries, milliseconds max_age) noexcept {
  return {LOGFLUX_POLICY_KIND_ADAPTIVE, budget, max_entries,
          static_cast<std::uint64_t>(max_age.count())};
}
/// One key until a bound is met.
inline key_policy bounded(std::uint64_t max_entries, milliseconds max_age) noexcept {
  return {LOGFLUX_POLICY_KIND_BOUNDED, 0, max_entries, static_cast<std::uint64_t>(max_age.count())};
}

/// From the system's clock.
inline timestamp at(std::chrono::system_clock::time_point time) noexcept {
  using namespace std::chrono;
  const auto since = time.time_since_epoch();
  const auto whole = floor<seconds>(since);
  return {static_cast<std::int64_t>(whole.count()),
          static_cast<std::uint32_t>(duration_cast<nanoseconds>(since - whole).count())};
}

/// Why a call failed.
class failure {
public:
  failure(logflux_status status, std::string message, std::string field, std::string stage,
          std::uint64_t messages_dropped = 0, std::uint64_t messages_left = 0)
      : status_(status), message_(std::move(message)), field_(std::move(field)),
        stage_(std::move(stage)), dropped_(messages_dropped), left_(messages_left) {}

  logflux_status status() const noexcept { return status_; }
  /// What was wrong, and what to do where that is known.
  const std::string &message() const noexcept { return message_; }
  /// The parameter, field, setting or variable at fault; empty where it is none.
  const std::string &field() const noexcept { return field_; }
  /// Where an entry failed; empty where none did.
  const std::string &stage() const noexcept { return stage_; }
  /// How many messages were dropped since the client was built; 0 where no flush or close failed.
  std::uint64_t dropped() const noexcept { return dropped_; }
  /// How many messages are still on their way; 0 where no flush failed.
  std::uint64_t left() const noexcept { return left_; }

private:
  logflux_status status_;
  std::string message_, field_, stage_;
  std::uint64_t dropped_, left_;
};

/// What result::value() throws.
class exception : public std::runtime_error {
public:
  explicit exception(logflux::failure failure)
      : std::runtime_error(failure.message()), failure_(std::move(failure)) {}
  const logflux::failure &details() const noexcept { return failure_; }
  logflux_status status() const noexcept { return failure_.status(); }

private:
  logflux::failure failure_;
};

namespace detail {

[[noreturn]] inline void raise(const failure &why) {
#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
  throw exception(why);
#else
  (void)why;
  std::abort();
#endif
}

inline failure take(logflux_status status, logflux_error *error) {
  const std::unique_ptr<logflux_error, decltype(&logflux_error_free)> owner(error,
                                                                           &logflux_error_free);
  const auto text = [](const char *found) { return found == nullptr ? std::string() : found; };
  return {status, error == nullptr ? logflux_status_text(status) : logflux_error_message(error),
          text(logflux_error_field(error)), text(logflux_error_stage(error)),
          logflux_error_dropped(error), logflux_error_left(error)};
}

template <class T, void (*Free)(T *)> struct release {
  void operator()(T *handle) const noexcept { Free(handle); }
};
template <class T, void (*Free)(T *)> using owner = std::unique_ptr<T, release<T, Free>>;

inline const timestamp *pointer(const std::optional<timestamp> &time) noexcept {
  return time ? &*time : nullptr;
}
/// A setting: a negative one is out of its bounds, and refused.
inline std::uint64_t setting(milliseconds time) noexcept {
  return static_cast<std::uint64_t>(time.count());
}
inline std::uint64_t count(milliseconds time) noexcept {
  return time.count() < 0 ? 0 : static_cast<std::uint64_t>(time.count());
}

} // namespace detail

/// A value, or why there is none.
template <class T> class [[nodiscard]] result {
public:
  result(T value) : held_(std::in_place_index<0>, std::move(value)) {}
  result(failure why) : held_(std::in_place_index<1>, std::move(why)) {}

  bool has_value() const noexcept { return held_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }
  /// The value; only where there is one.
  T &operator*() & noexcept { return *std::get_if<0>(&held_); }
  const T &operator*() const & noexcept { return *std::get_if<0>(&held_); }
  T &&operator*() && noexcept { return std::move(*std::get_if<0>(&held_)); }
  T *operator->() noexcept { return std::get_if<0>(&held_); }
  const T *operator->() const noexcept { return std::get_if<0>(&held_); }
  /// The failure; only where there is no value.
  const failure &error() const noexcept { return *std::get_if<1>(&held_); }
  /// The value, or logflux::exception.
  T &value() & { return check(), **this; }
  const T &value() const & { return check(), **this; }
  T &&value() && { return check(), std::move(**this); }

private:
  void check() const {
    if (!has_value()) {
      detail::raise(error());
    }
  }
  std::variant<T, failure> held_;
};

/// Success, or why there was none.
template <> class [[nodiscard]] result<void> {
public:
  result() noexcept = default;
  result(failure why) : why_(std::move(why)) {}

  bool has_value() const noexcept { return !why_; }
  explicit operator bool() const noexcept { return has_value(); }
  const failure &error() const noexcept { return *why_; }
  void value() const {
    if (why_) {
      detail::raise(*why_);
    }
  }

private:
  std::optional<failure> why_;
};

namespace detail {

/// Calls with a place for the error.
template <class Call> result<void> attempt(Call &&call) {
  logflux_error *error = nullptr;
  const logflux_status status = call(&error);
  if (status != LOGFLUX_STATUS_OK) {
    return take(status, error);
  }
  return {};
}

/// Calls with a place for a handle and one for the error.
template <class Owner, class T, class Call> result<Owner> make(Call &&call) {
  T *handle = nullptr;
  auto made = attempt([&](logflux_error **error) { return call(&handle, error); });
  if (!made) {
    return made.error();
  }
  return Owner(handle);
}

} // namespace detail

/// Bytes of the library's, zeroed when they are cleared or end.
class buffer {
public:
  buffer() : handle_(logflux_buffer_new()) {}
  std::string_view view() const noexcept {
    return {logflux_buffer_data(handle_.get()), logflux_buffer_length(handle_.get())};
  }
  std::string str() const { return std::string(view()); }
  void clear() noexcept { logflux_buffer_clear(handle_.get()); }
  logflux_buffer *get() const noexcept { return handle_.get(); }

private:
  detail::owner<logflux_buffer, logflux_buffer_free> handle_;
};

namespace detail {

/// Calls with a new buffer to append to.
template <class Call> result<buffer> fill(Call &&call) {
  buffer out;
  auto done = attempt([&](logflux_error **error) { return call(out.get(), error); });
  if (!done) {
    return done.error();
  }
  return result<buffer>(std::move(out));
}

} // namespace detail

/// The passphrase or generated key from which every key is derived. Zeroed when it ends.
class secret {
public:
  static result<secret> from_text(std::string_view text) {
    return detail::make<secret, logflux_secret>([&](auto out, auto error) {
      return logflux_secret_new(text.data(), text.size(), out, error);
    });
  }
  static result<secret> from_env() {
    return detail::make<secret, logflux_secret>(
        [](auto out, auto error) { return logflux_secret_from_env(out, error); });
  }
  static result<secret> from_file(std::string_view path) {
    return detail::make<secret, logflux_secret>([&](auto out, auto error) {
      return logflux_secret_from_file(path.data(), path.size(), out, error);
    });
  }
  static result<secret> generate() {
    return detail::make<secret, logflux_secret>(
        [](auto out, auto error) { return logflux_secret_generate(out, error); });
  }
  /// Takes a handle over.
  explicit secret(logflux_secret *handle) noexcept : handle_(handle) {}

  /// The secret itself; it lives as long as this.
  std::string_view expose() const noexcept {
    const char *text = "";
    std::size_t length = 0;
    (void)logflux_secret_expose(handle_.get(), &text, &length, nullptr);
    return {text, length};
  }
  const logflux_secret *get() const noexcept { return handle_.get(); }

private:
  detail::owner<logflux_secret, logflux_secret_free> handle_;
};

/// Several secrets, the newest first.
class keyring {
public:
  static result<keyring> create(const secret &newest, std::optional<timestamp> since = {}) {
    return detail::make<keyring, logflux_keyring>([&](auto out, auto error) {
      return logflux_keyring_new(newest.get(), detail::pointer(since), out, error);
    });
  }
  explicit keyring(logflux_keyring *handle) noexcept : handle_(handle) {}

  result<void> add_older(const secret &older, std::optional<timestamp> since = {}) {
    return detail::attempt([&](auto error) {
      return logflux_keyring_add_older(handle_.get(), older.get(), detail::pointer(since), error);
    });
  }
  std::size_t size() const noexcept { return logflux_keyring_count(handle_.get()); }
  const logflux_keyring *get() const noexcept { return handle_.get(); }

private:
  detail::owner<logflux_keyring, logflux_keyring_free> handle_;
};

/// Seals messages; from any number of threads at once.
class sealer {
public:
  static result<sealer> create(const secret &secret, mode mode = mode::pbkdf2,
                               std::optional<key_policy> policy = {}) {
    return detail::make<sealer, logflux_sealer>([&](auto out, auto error) {
      return logflux_sealer_new(secret.get(), static_cast<std::uint32_t>(mode),
                                policy ? &*policy : nullptr, out, error);
    });
  }
  explicit sealer(logflux_sealer *handle) noexcept : handle_(handle) {}

  /// The entry's canonical JSON.
  result<buffer> seal(std::string_view node, level level, std::string_view message,
                      std::optional<timestamp> time = {}) const {
    buffer out;
    auto sealed = seal_to(out, node, level, message, time);
    if (!sealed) {
      return sealed.error();
    }
    return result<buffer>(std::move(out));
  }
  /// Appends it to a buffer, which can be used again.
  result<void> seal_to(buffer &out, std::string_view node, level level, std::string_view message,
                       std::optional<timestamp> time = {}) const {
    return detail::attempt([&](auto error) {
      return logflux_sealer_seal(handle_.get(), node.data(), node.size(),
                                 static_cast<std::uint32_t>(level), detail::pointer(time),
                                 message.data(), message.size(), out.get(), error);
    });
  }
  sealer_stats stats() const noexcept {
    sealer_stats stats = {};
    (void)logflux_sealer_get_stats(handle_.get(), &stats, sizeof stats, nullptr);
    return stats;
  }
  const logflux_sealer *get() const noexcept { return handle_.get(); }

private:
  detail::owner<logflux_sealer, logflux_sealer_free> handle_;
};

/// What came of opening many entries.
class opened {
public:
  explicit opened(logflux_opened *handle) noexcept : handle_(handle) {}
  std::size_t size() const noexcept { return logflux_opened_count(handle_.get()); }
  /// A message, which lives as long as this, or why there is none.
  result<std::string_view> operator[](std::size_t index) const {
    const char *message = nullptr;
    std::size_t length = 0;
    auto found = detail::attempt([&](auto error) {
      return logflux_opened_message(handle_.get(), index, &message, &length, error);
    });
    if (!found) {
      return found.error();
    }
    return std::string_view(message, length);
  }

private:
  detail::owner<logflux_opened, logflux_opened_free> handle_;
};

/// Opens entries; from any number of threads at once.
class opener {
public:
  static result<opener> create(const keyring &keyring, std::size_t keys = 0,
                               std::size_t threads = 0) {
    return detail::make<opener, logflux_opener>([&](auto out, auto error) {
      return logflux_opener_new(keyring.get(), keys, threads, out, error);
    });
  }
  explicit opener(logflux_opener *handle) noexcept : handle_(handle) {}

  /// The message of an entry of UTF-8 text.
  result<buffer> open(std::string_view entry) const {
    return detail::fill([&](auto out, auto error) {
      return logflux_opener_open(handle_.get(), entry.data(), entry.size(), out, error);
    });
  }
  /// The message whatever its bytes are.
  result<buffer> open_bytes(std::string_view entry) const {
    return detail::fill([&](auto out, auto error) {
      return logflux_opener_open_bytes(handle_.get(), entry.data(), entry.size(), out, error);
    });
  }
  /// Opens many entries together, which derives all their keys at once.
  result<opened> open_many(const std::string_view *entries, std::size_t count) const {
    std::vector<logflux_slice> slices;
    slices.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      slices.push_back({entries[i].data(), entries[i].size()});
    }
    return detail::make<opened, logflux_opened>([&](auto out, auto error) {
      return logflux_opener_open_many(handle_.get(), slices.data(), slices.size(), out, error);
    });
  }
#if defined(__cpp_lib_span)
  result<opened> open_many(std::span<const std::string_view> entries) const {
    return open_many(entries.data(), entries.size());
  }
#else
  result<opened> open_many(const std::vector<std::string_view> &entries) const {
    return open_many(entries.data(), entries.size());
  }
#endif
  const logflux_opener *get() const noexcept { return handle_.get(); }

private:
  detail::owner<logflux_opener, logflux_opener_free> handle_;
};

/// Seals one message under a key of its own, which costs a whole derivation.
inline result<buffer> seal(const secret &secret, std::string_view node, level level,
                           std::string_view message, std::optional<timestamp> time = {}) {
  return detail::fill([&](auto out, auto error) {
    return logflux_seal(secret.get(), node.data(), node.size(), static_cast<std::uint32_t>(level),
                        detail::pointer(time), message.data(), message.size(), out, error);
  });
}

/// Opens one entry of UTF-8 text, which costs a whole derivation.
inline result<buffer> open(const secret &secret, std::string_view entry) {
  return detail::fill([&](auto out, auto error) {
    return logflux_open(secret.get(), entry.data(), entry.size(), out, error);
  });
}

/// What a client is set to.
class config {
public:
  /// Is called with what was dropped since the last call; what it throws ends the program.
  using drop_callback = std::function<void(const dropped &)>;
  /// Is called with the statistics; what it throws ends the program.
  using stats_callback = std::function<void(const client_stats &)>;
  /// Is called with a sentence about the client; what it throws ends the program.
  using notice_callback = std::function<void(std::string_view)>;

  static result<config> create(std::string_view server_url, std::string_view api_key,
                               const secret &secret) {
    return detail::make<config, logflux_config>([&](auto out, auto error) {
      return logflux_config_new(server_url.data(), server_url.size(), api_key.data(),
                                api_key.size(), secret.get(), out, error);
    });
  }
  static result<config> from_env() {
    return detail::make<config, logflux_config>(
        [](auto out, auto error) { return logflux_config_from_env(out, error); });
  }
  /// Variables that are not those of the environment: NAME=value, each with a NUL behind it.
  static result<config> from_variables(std::string_view variables, const secret &secret) {
    return detail::make<config, logflux_config>([&](auto out, auto error) {
      return logflux_config_from_variables(variables.data(), variables.size(), secret.get(), out,
                                           error);
    });
  }
  explicit config(logflux_config *handle) noexcept : handle_(handle) {}

  result<void> node(std::string_view name) {
    return detail::attempt([&](auto error) {
      return logflux_config_set_node(handle_.get(), name.data(), name.size(), error);
    });
  }
  result<void> ca_file(std::string_view path) {
    return set(logflux_config_set_ca_file, path.data(), path.size());
  }
  result<void> spool_dir(std::string_view path) {
    return set(logflux_config_set_spool_dir, path.data(), path.size());
  }
  result<void> spool(std::uint64_t max_bytes, spool_full full = spool_full::refuse) {
    return set(logflux_config_set_spool, max_bytes, static_cast<std::uint32_t>(full));
  }
  result<void> sync_interval(milliseconds interval) {
    return set(logflux_config_set_sync_interval, detail::setting(interval));
  }
  /// A URL, or "none".
  result<void> proxy(std::string_view url) {
    return set(logflux_config_set_proxy, url.data(), url.size());
  }
  result<void> close_timeout(milliseconds timeout) {
    return set(logflux_config_set_close_timeout, detail::setting(timeout));
  }
  result<void> http_timeout(milliseconds timeout) {
    return set(logflux_config_set_http_timeout, detail::setting(timeout));
  }
  result<void> retry(std::uint32_t max_retries, milliseconds initial_delay, milliseconds max_delay,
                     double backoff_factor) {
    return set(logflux_config_set_retry, max_retries, detail::setting(initial_delay),
               detail::setting(max_delay), backoff_factor);
  }
  result<void> retry_deadline(milliseconds deadline) {
    return set(logflux_config_set_retry_deadline, detail::setting(deadline));
  }
  result<void> queue(std::size_t max_messages, std::size_t max_bytes) {
    return set(logflux_config_set_queue, max_messages, max_bytes);
  }
  result<void> on_full(when_full when) {
    return set(logflux_config_set_when_full, static_cast<std::uint32_t>(when));
  }
  result<void> flush_interval(milliseconds interval) {
    return set(logflux_config_set_flush_interval, detail::setting(interval));
  }
  result<void> max_in_flight(std::size_t requests) {
    return set(logflux_config_set_max_in_flight, requests);
  }
  result<void> encryption_mode(mode mode) {
    return set(logflux_config_set_mode, static_cast<std::uint32_t>(mode));
  }
  result<void> policy(const key_policy &policy) {
    return set(logflux_config_set_key_policy, &policy);
  }
  result<void> min_level(level level) {
    return set(logflux_config_set_min_level, static_cast<std::uint32_t>(level));
  }
  /// The callback lives as long as the clients that are made from this.
  result<void> on_drop(drop_callback callback) {
    on_drop_ = std::make_shared<drop_callback>(std::move(callback));
    return set(logflux_config_set_on_drop, &config::tell, static_cast<void *>(on_drop_.get()));
  }
  /// As on_drop, with every sentence that would be a line on stderr.
  result<void> on_notice(notice_callback callback) {
    on_notice_ = std::make_shared<notice_callback>(std::move(callback));
    return set(logflux_config_set_on_notice, &config::tell_notice,
               static_cast<void *>(on_notice_.get()));
  }
  /// Keeps these sentences for client::take_notice instead.
  result<void> keep_notices(bool keep) { return set(logflux_config_set_keep_notices, keep); }
  /// As on_drop, every interval and at the end of the client.
  result<void> on_stats(milliseconds interval, stats_callback callback) {
    on_stats_ = std::make_shared<stats_callback>(std::move(callback));
    return set(logflux_config_set_on_stats, detail::setting(interval), &config::tell_stats,
               static_cast<void *>(on_stats_.get()));
  }
  const logflux_config *get() const noexcept { return handle_.get(); }

private:
  friend class client;

  template <class Setter, class... Values> result<void> set(Setter setter, Values... values) {
    return detail::attempt([&](auto error) { return setter(handle_.get(), values..., error); });
  }
  static void tell(void *context, const logflux_dropped *counts) noexcept {
    (*static_cast<drop_callback *>(context))(*counts);
  }
  static void tell_notice(void *context, const logflux_notice *notice) noexcept {
    (*static_cast<notice_callback *>(context))({notice->sentence, notice->sentence_length});
  }
  static void tell_stats(void *context, const logflux_client_stats *stats) noexcept {
    (*static_cast<stats_callback *>(context))(*stats);
  }

  detail::owner<logflux_config, logflux_config_free> handle_;
  std::shared_ptr<drop_callback> on_drop_;
  std::shared_ptr<stats_callback> on_stats_;
  std::shared_ptr<notice_callback> on_notice_;
};

/// A flush that has begun; from any number of threads at once. It may outlive its client.
class flush_ticket {
public:
  explicit flush_ticket(logflux_flush_ticket *handle) noexcept : handle_(handle) {}

  /// Whether every message of the ticket is delivered, durable, or dropped.
  bool is_done() const noexcept { return logflux_flush_ticket_is_done(handle_.get()); }
  /// Waits until it is done; as client::flush.
  result<void> wait(milliseconds timeout) const {
    return detail::attempt([&](auto error) {
      return logflux_flush_ticket_wait(handle_.get(), detail::count(timeout), error);
    });
  }
  const logflux_flush_ticket *get() const noexcept { return handle_.get(); }

private:
  detail::owner<logflux_flush_ticket, logflux_flush_ticket_free> handle_;
};

/// Logs through one ingest API; from any number of threads at once. When it ends it waits for 2 s at
/// most for what is left: close it before that.
class client {
public:
  static result<client> create(const config &config) {
    auto made = detail::make<client, logflux_client>([&](auto out, auto error) {
      return logflux_client_new(config.get(), out, error);
    });
    if (made) {
      made->on_drop_ = config.on_drop_;
      made->on_stats_ = config.on_stats_;
      made->on_notice_ = config.on_notice_;
    }
    return made;
  }
  explicit client(logflux_client *handle) noexcept : handle_(handle) {}

  /// Logs a message. It never throws, and waits only where when_full::block was chosen.
  logflux_status log(level level, std::string_view message) const noexcept {
    return logflux_client_log(handle_.get(), static_cast<std::uint32_t>(level), message.data(),
                              message.size());
  }
  logflux_status log_at(level level, timestamp time, std::string_view message) const noexcept {
    return logflux_client_log_at(handle_.get(), static_cast<std::uint32_t>(level), &time,
                                 message.data(), message.size(), nullptr);
  }
  void emergency(std::string_view message) const noexcept { (void)log(level::emergency, message); }
  void alert(std::string_view message) const noexcept { (void)log(level::alert, message); }
  void critical(std::string_view message) const noexcept { (void)log(level::critical, message); }
  void error(std::string_view message) const noexcept { (void)log(level::error, message); }
  void warning(std::string_view message) const noexcept { (void)log(level::warning, message); }
  void notice(std::string_view message) const noexcept { (void)log(level::notice, message); }
  void info(std::string_view message) const noexcept { (void)log(level::info, message); }
  void debug(std::string_view message) const noexcept { (void)log(level::debug, message); }

  bool is_enabled(level level) const noexcept {
    return logflux_client_is_enabled(handle_.get(), static_cast<std::uint32_t>(level));
  }
  result<void> flush(milliseconds timeout) const {
    return detail::attempt([&](auto error) {
      return logflux_client_flush(handle_.get(), detail::count(timeout), error);
    });
  }
  /// Begins to flush, and does not wait.
  result<flush_ticket> flush_begin() const {
    return detail::make<flush_ticket, logflux_flush_ticket>([&](auto out, auto error) {
      return logflux_client_flush_begin(handle_.get(), out, error);
    });
  }
  result<void> close(milliseconds timeout) const {
    return detail::attempt([&](auto error) {
      return logflux_client_close(handle_.get(), detail::count(timeout), error);
    });
  }
  /// Seals with another secret from now on; a keyring of both opens all. Where this or another
  /// rotation fails, nothing is replaced. Any thread may rotate, also in a callback.
  result<void> rotate(const secret &secret) const {
    return detail::attempt([&](auto error) {
      return logflux_client_rotate_secret(handle_.get(), secret.get(), error);
    });
  }
  /// Makes requests with another API key from now on.
  result<void> rotate_api_key(std::string_view key) const {
    return detail::attempt([&](auto error) {
      return logflux_client_rotate_api_key(handle_.get(), key.data(), key.size(), error);
    });
  }
  /// Trusts the authorities in this file from now on, and no others; it is read now.
  result<void> rotate_ca_file(std::string_view path) const {
    return detail::attempt([&](auto error) {
      return logflux_client_rotate_ca_file(handle_.get(), path.data(), path.size(), error);
    });
  }
  client_stats stats() const noexcept {
    client_stats stats = {};
    (void)logflux_client_get_stats(handle_.get(), &stats, sizeof stats, nullptr);
    return stats;
  }
  /// The oldest notice that was not taken yet, or an empty text.
  std::string take_notice() const {
    buffer out;
    (void)logflux_client_take_notice(handle_.get(), out.get(), nullptr);
    return out.str();
  }
  /// How long closing waits where no other time is given.
  milliseconds close_timeout() const noexcept {
    return milliseconds(logflux_client_close_timeout_ms(handle_.get()));
  }
  /// What failed last; empty where nothing has.
  std::string last_failure() const {
    buffer out;
    (void)logflux_client_last_failure(handle_.get(), out.get(), nullptr);
    return out.str();
  }
  const logflux_client *get() const noexcept { return handle_.get(); }

private:
  // Before the handle, so that they outlive it.
  std::shared_ptr<config::drop_callback> on_drop_;
  std::shared_ptr<config::stats_callback> on_stats_;
  std::shared_ptr<config::notice_callback> on_notice_;
  detail::owner<logflux_client, logflux_client_free> handle_;
};

/// The version of the library that runs.
inline std::string_view version() noexcept { return logflux_version(); }

} // namespace logflux

#endif // C++17
#endif // LOGFLUX_HPP
