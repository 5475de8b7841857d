/* Calls exit in the handler of a signal, wherever that interrupted the program, as POSIX forbids and
 * many programs do. The first argument says what the program does meanwhile. */

#define _XOPEN_SOURCE 700

#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static logflux_client *client;

/* The thread that ends the process may have been interrupted while it held the allocator's lock: it
 * must allocate nothing. The allocator is the C library's, under the names that it has there. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static volatile sig_atomic_t ending;
/* Unless the host itself does more there. */
static volatile sig_atomic_t allowed;
static pthread_t ender;

static void may_allocate(void) {
  static const char said[] = "the end of the process allocates\n";
  if (ending && !allowed && pthread_equal(pthread_self(), ender)) {
    ssize_t written = write(STDERR_FILENO, said, sizeof said - 1);
    _exit(written > 0 ? 99 : 98);
  }
}

void *malloc(size_t size) {
  may_allocate();
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  may_allocate();
  return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
  may_allocate();
  return __libc_realloc(memory, size);
}

static void end(int number) {
  (void)number;
  ender = pthread_self();
  ending = 1;
  exit(7);
}

static void end_in_callback(void *context, const logflux_dropped *counts) {
  (void)context;
  (void)counts;
  exit(7);
}

/* Runs before the library's own handler, as a destructor of C++ does. */
static void close_and_free(void) {
  (void)logflux_client_flush(client, 100, NULL);
  (void)logflux_client_close(client, 100, NULL);
  logflux_client_free(client);
}

static void say(const char *line) {
  OK(logflux_client_log_cstr(client, LOGFLUX_LEVEL_INFO, line));
}

static void make(const char *way) {
  logflux_config *config = NULL;
  OK(logflux_config_from_env(&config, NULL));
  OK(logflux_config_set_mode(config, LOGFLUX_MODE_HKDF, NULL));
  if (strcmp(way, "idle") == 0) {
    /* Nothing is sent unless something asks for it. */
    OK(logflux_config_set_flush_interval(config, 3600000, NULL));
  }
  if (strcmp(way, "callback") == 0) {
    OK(logflux_config_set_on_drop(config, end_in_callback, NULL, NULL));
  }
  OK(logflux_client_new(config, &client, NULL));
  logflux_config_free(config);
}

int main(int argc, char **argv) {
  const char *way = argc > 1 ? argv[1] : "";
  logflux_client_stats stats;
  size_t size;

  make(way);
  say("first");
  if (strcmp(way, "destructor") == 0) {
    CHECK(atexit(close_and_free) == 0);
    allowed = 1;
  }
  /* A callback ends the process by itself. */
  CHECK(signal(SIGTERM, strcmp(way, "callback") == 0 ? SIG_IGN : end) != SIG_ERR);
  CHECK(write(STDOUT_FILENO, "ready\n", 6) == 6);
  for (size = 1;; size = size * 2 % 1000003) {
    if (strcmp(way, "idle") == 0 || strcmp(way, "callback") == 0) {
      pause();
    } else if (strcmp(way, "allocator") == 0) {
      free(malloc(size));
    } else {
      say("busy");
      OK(logflux_client_get_stats(client, &stats, sizeof stats, NULL));
    }
  }
}
