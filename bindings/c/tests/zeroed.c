/* After its handles are freed, nothing of a secret or of an opened message is left in writable memory:
 * not in the heap, and not on a stack. */

#define _GNU_SOURCE

#include "check.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

enum { LENGTH = 48 };

/* Texts that stand nowhere but where they are made: each is hidden here with a bit of it turned. */
static char secret_text[LENGTH], message_text[LENGTH];

static void make(char *text, unsigned seed) {
  int i;
  for (i = 0; i < LENGTH; i++) {
    seed = seed * 1103515245u + 12345u;
    text[i] = (char)('a' + (seed >> 16) % 26);
  }
}

static void turn(char *text) {
  int i;
  for (i = 0; i < LENGTH; i++) {
    text[i] ^= 1;
  }
}

/* How often the text that was turned stands in the writable memory of this process. */
static size_t found(const char *turned) {
  static char window[1 << 16];
  FILE *maps = fopen("/proc/self/maps", "r");
  const int memory = open("/proc/self/mem", O_RDONLY);
  char line[512];
  size_t count = 0;
  CHECK(maps != NULL && memory >= 0);
  while (fgets(line, sizeof line, maps) != NULL) {
    uint64_t start, end, at;
    char rights[5];
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &start, &end, rights) != 3 || rights[1] != 'w') {
      continue;
    }
    /* Windows overlap, so that nothing is missed between two. The window itself is left out. */
    for (at = start; at < end; at += sizeof window - LENGTH) {
      const size_t wanted = end - at < sizeof window ? (size_t)(end - at) : sizeof window;
      const ssize_t got = pread(memory, window, wanted, (off_t)at);
      ssize_t i;
      for (i = 0; i + LENGTH / 2 <= got; i++) {
        int same = 0;
        while (same < LENGTH / 2 && window[i + same] == (turned[same] ^ 1)) {
          same++;
        }
        if (same == LENGTH / 2) {
          const uint64_t place = at + (uint64_t)i;
          if (place < (uint64_t)(uintptr_t)window || place >= (uint64_t)(uintptr_t)window + sizeof window) {
            count++;
          }
        }
      }
    }
    memset(window, 0, sizeof window);
  }
  fclose(maps);
  close(memory);
  return count;
}

static void use(void) {
  logflux_secret *secret = NULL;
  logflux_sealer *sealer = NULL;
  logflux_keyring *keyring = NULL;
  logflux_opener *opener = NULL;
  logflux_opened *opened = NULL;
  logflux_buffer *entry = logflux_buffer_new(), *message = logflux_buffer_new();
  logflux_slice slice;
  int i;

  OK(logflux_secret_new(secret_text, LENGTH, &secret, NULL));
  OK(logflux_sealer_new(secret, LOGFLUX_MODE_HKDF, NULL, &sealer, NULL));
  OK(logflux_keyring_new(secret, NULL, &keyring, NULL));
  OK(logflux_keyring_add_older(keyring, secret, NULL, NULL));
  OK(logflux_opener_new(keyring, 0, 0, &opener, NULL));
  OK(logflux_sealer_seal(sealer, "n", 1, 7, NULL, message_text, LENGTH, entry, NULL));
  for (i = 0; i < 100; i++) {
    OK(logflux_opener_open(opener, logflux_buffer_data(entry), logflux_buffer_length(entry), message,
                           NULL));
  }
  slice.data = logflux_buffer_data(entry);
  slice.length = logflux_buffer_length(entry);
  OK(logflux_opener_open_many(opener, &slice, 1, &opened, NULL));
  {
    logflux_config *config = NULL;
    logflux_client *client = NULL;
    OK(logflux_config_new_cstr("https://127.0.0.1:1", KEY, secret, &config, NULL));
    OK(logflux_config_set_mode(config, LOGFLUX_MODE_HKDF, NULL));
    OK(logflux_config_set_min_level(config, LOGFLUX_LEVEL_INFO, NULL));
    OK(logflux_client_new(config, &client, NULL));
    logflux_config_free(config);
    logflux_client_free(client);
  }
  turn(secret_text);
  CHECK(found(secret_text) > 0);
  turn(message_text);
  CHECK(found(message_text) > 0);

  logflux_opened_free(opened);
  logflux_buffer_free(message);
  logflux_buffer_free(entry);
  logflux_opener_free(opener);
  logflux_keyring_free(keyring);
  logflux_sealer_free(sealer);
  logflux_secret_free(secret);
}

int main(void) {
  make(secret_text, 1);
  make(message_text, 2);
  use();
  CHECK(found(secret_text) == 0);
  CHECK(found(message_text) == 0);
  printf("nothing is left\n");
  return 0;
}
