/* As much JSON, hexadecimal and base64 as a subject needs: requests come from `logflux certify`. */

#ifndef JSON_H
#define JSON_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logflux.h"

typedef struct { char *data; size_t length; } bytes;

static const char DIGITS[] = "0123456789abcdef";
static const char BASE64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/* The value behind a name; quotes inside of strings are escaped, so that it cannot be one of those. */
static const char *find(const char *json, const char *name) {
  char key[64];
  const char *at;
  snprintf(key, sizeof key, "\"%s\":", name);
  at = strstr(json, key);
  return at == NULL ? NULL : at + strlen(key);
}

static uint64_t number(const char *json, const char *name) {
  const char *at = find(json, name);
  return at == NULL ? 0 : strtoull(at, NULL, 10);
}

/* A string's value; what JSON escapes is only what it must. */
static bytes text(const char *json, const char *name) {
  const char *at = find(json, name), *known;
  bytes out = {NULL, 0};
  if (at == NULL) return out;
  out.data = malloc(strcspn(at, "\n") + 1);
  for (at++; *at != '"'; at++) {
    char c = *at;
    if (c == '\\' && *++at == 'u') {
      unsigned code = 0;
      sscanf(at + 1, "%4x", &code);
      c = (char)code;
      at += 4;
    } else if (c == '\\') {
      known = strchr("b\bf\fn\nr\rt\t", *at);
      c = known == NULL ? *at : known[1];
    }
    out.data[out.length++] = c;
  }
  out.data[out.length] = 0;
  return out;
}

static bytes unhex(const char *json, const char *name) {
  bytes out = text(json, name);
  size_t i;
  out.length /= 2;
  for (i = 0; i < out.length; i++)
    out.data[i] = (char)((strchr(DIGITS, out.data[2 * i]) - DIGITS) << 4 |
                         (strchr(DIGITS, out.data[2 * i + 1]) - DIGITS));
  return out;
}

static bytes unbase64(const char *json, const char *name) {
  bytes in = text(json, name), out = {in.data, 0};
  unsigned group = 0, bits = 0;
  size_t i;
  for (i = 0; i < in.length && in.data[i] != '='; i++) {
    group = group << 6 | (unsigned)(strchr(BASE64, in.data[i]) - BASE64);
    if ((bits += 6) >= 8) out.data[out.length++] = (char)(group >> (bits -= 8));
  }
  return out;
}

static void put_hex(const char *name, const logflux_buffer *buffer) {
  const unsigned char *data = (const unsigned char *)logflux_buffer_data(buffer);
  size_t i;
  printf("\"ok\":{\"%s\":\"", name);
  for (i = 0; i < logflux_buffer_length(buffer); i++) printf("%02x", data[i]);
  printf("\"}");
}

static void put_base64(const char *name, const logflux_buffer *buffer) {
  const unsigned char *data = (const unsigned char *)logflux_buffer_data(buffer);
  size_t length = logflux_buffer_length(buffer), i;
  printf("\"ok\":{\"%s\":\"", name);
  for (i = 0; i < length; i += 3) {
    unsigned long group = (unsigned long)data[i] << 16 | (i + 1 < length ? data[i + 1] << 8 : 0) |
                          (i + 2 < length ? data[i + 2] : 0);
    putchar(BASE64[group >> 18]);
    putchar(BASE64[group >> 12 & 63]);
    putchar(i + 1 < length ? BASE64[group >> 6 & 63] : '=');
    putchar(i + 2 < length ? BASE64[group & 63] : '=');
  }
  printf("\"}");
}

#endif
