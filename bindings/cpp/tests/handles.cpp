// The owners and results of logflux.hpp.

#include <logflux.hpp>

#include <cstdio>
#include <cstdlib>
#include <type_traits>

#define CHECK(condition)                                                                          \
  do {                                                                                            \
    if (!(condition)) {                                                                           \
      std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
      std::exit(1);                                                                               \
    }                                                                                             \
  } while (false)

template <class T> constexpr bool moves_only() {
  return std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T> &&
         !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T>;
}
static_assert(moves_only<logflux::secret>() && moves_only<logflux::keyring>());
static_assert(moves_only<logflux::sealer>() && moves_only<logflux::opener>());
static_assert(moves_only<logflux::buffer>() && moves_only<logflux::opened>());
static_assert(moves_only<logflux::config>() && moves_only<logflux::client>());
static_assert(moves_only<logflux::flush_ticket>());

static void sealing() {
  auto secret = logflux::secret::from_text("correct horse battery staple").value();
  CHECK(secret.expose() == "correct horse battery staple");
  auto moved = std::move(secret);
  auto keyring = logflux::keyring::create(moved).value();
  keyring.add_older(logflux::secret::generate().value()).value();
  CHECK(keyring.size() == 2);

  const auto sealer = logflux::sealer::create(moved, logflux::mode::hkdf).value();
  const auto opener = logflux::opener::create(keyring).value();
  const auto time = logflux::at(std::chrono::system_clock::time_point(std::chrono::milliseconds(-500)));
  CHECK(time.seconds == -1 && time.nanoseconds == 500000000);
  const auto entry = sealer.seal("n", logflux::level::info, "message", time).value();
  CHECK(entry.view().find("\"timestamp\":\"1969-12-31T23:59:59.500Z\"") != std::string_view::npos);
  CHECK(opener.open(entry.view()).value().view() == "message");
  CHECK(sealer.stats().unique == 1);

  const std::string_view entries[] = {entry.view(), "{", entry.view()};
#if defined(__cpp_lib_span)
  const auto opened = opener.open_many(std::span<const std::string_view>(entries)).value();
#else
  const auto opened = opener.open_many(entries, 3).value();
#endif
  CHECK(opened.size() == 3);
  CHECK(opened[0].value() == "message" && *opened[2] == "message");
  CHECK(!opened[1] && opened[1].error().status() == LOGFLUX_STATUS_INVALID_ENTRY);
  CHECK(opened[1].error().stage() == "json");
  CHECK(opened[3].error().field() == "index");

  const auto alone = logflux::seal(moved, "n", logflux::level::error, "alone").value();
  CHECK(logflux::open(moved, alone.view())->view() == "alone");
}

static void failures() {
  const auto blank = logflux::secret::from_text("  ");
  CHECK(!blank.has_value() && blank.error().status() == LOGFLUX_STATUS_INVALID_SECRET);
  bool thrown = false;
  try {
    (void)blank.value();
  } catch (const logflux::exception &error) {
    thrown = error.status() == LOGFLUX_STATUS_INVALID_SECRET &&
             error.details().message() == error.what() && error.details().field() == "secret";
  }
  CHECK(thrown);
  const auto secret = logflux::secret::generate().value();
  CHECK(!logflux::sealer::create(secret, logflux::mode::pbkdf2, logflux::bounded(0, logflux::milliseconds(1))));
  CHECK(logflux::sealer::create(secret, logflux::mode::pbkdf2, logflux::unique()));
  CHECK(logflux::sealer::create(secret, logflux::mode::pbkdf2,
                                logflux::adaptive(0.5, 100, std::chrono::seconds(1))));
}

static void dropping() {
  using namespace std::chrono_literals;
  const auto secret = logflux::secret::generate().value();
  auto config = logflux::config::create("https://127.0.0.1:1", "lf_0123456789abcdefABCDEF0123456789",
                                        secret)
                    .value();
  std::uint64_t told = 0;
  std::uint64_t calls = 0;
  logflux::client_stats last = {};
  std::string said;
  config.node("n").value();
  config.encryption_mode(logflux::mode::hkdf).value();
  config.min_level(logflux::level::notice).value();
  config.on_full(logflux::when_full::drop_newest).value();
  config.queue(2, 1 << 20).value();
  config.retry(0, 1ms, 1ms, 1.0).value();
  config.on_drop([&told](const logflux::dropped &dropped) { told += dropped.total; }).value();
  config.on_notice([&said](std::string_view sentence) { said.append(sentence).append("\n"); }).value();
  config.on_stats(10ms, [&](const logflux::client_stats &stats) {
    ++calls;
    last = stats;
  }).value();
  CHECK(!config.max_in_flight(0));
  {
    auto first = logflux::client::create(config).value();
    const auto client = std::move(first);
    { const auto gone = std::move(config); }
    CHECK(client.is_enabled(logflux::level::notice) && !client.is_enabled(logflux::level::info));
    client.info("not logged");
    for (int i = 0; i < 10; ++i) {
      client.error("nobody hears this");
    }
    const auto ticket = client.flush_begin().value();
    const auto closed = client.close(2s);
    CHECK(!closed && closed.error().status() == LOGFLUX_STATUS_UNFLUSHED);
    CHECK(closed.error().dropped() == 10 && closed.error().left() == 0);
    const auto again = client.flush(2s);
    CHECK(!again && again.error().dropped() == 10);
    CHECK(ticket.is_done() && ticket.wait(2s).error().dropped() == 10);
    const auto stats = client.stats();
    CHECK(stats.accepted == 10 && stats.dropped.total == 10);
  }
  CHECK(told == 10);
  CHECK(said.find("messages dropped: ") == 0);
  CHECK(calls > 0 && last.accepted == 10 && last.dropped.total == 10 && last.pending == 0);
}

// A view need not end with NUL.
static void files() {
  const auto secret = logflux::secret::generate().value();
  auto config = logflux::config::create("https://127.0.0.1:1", "lf_0123456789abcdefABCDEF0123456789",
                                        secret)
                    .value();
  const std::string_view path = "/proc/nowhere/ca.pem";
  config.spool_dir(path.substr(0, 13)).value();
  const auto no_folder = logflux::client::create(config);
  CHECK(!no_folder && no_folder.error().field() == "spool_dir");
  CHECK(no_folder.error().message().find("ca.pem") == std::string::npos);
  config.ca_file(path).value();
  const auto no_file = logflux::client::create(config);
  CHECK(!no_file && !config.ca_file("") && !config.ca_file(std::string_view("a\0b", 3)));
}

static void rotation() {
  const auto secret = logflux::secret::generate().value();
  auto config = logflux::config::create("https://127.0.0.1:1", "lf_0123456789abcdefABCDEF0123456789",
                                        secret)
                    .value();
  config.node("n").value();
  const auto client = logflux::client::create(config).value();
  client.rotate(logflux::secret::generate().value()).value();
  client.rotate_api_key("lf_0123456789abcdefABCDEF0123456780").value();
  const auto no_key = client.rotate_api_key("hunter2");
  CHECK(!no_key && no_key.error().field() == "api_key");
  CHECK(no_key.error().message().find("hunter2") == std::string::npos);
  const auto no_file = client.rotate_ca_file("/proc/nowhere/ca.pem");
  CHECK(!no_file && no_file.error().field() == "ca_file");
}

int main() {
  sealing();
  failures();
  dropping();
  files();
  rotation();
  std::puts("good");
}
