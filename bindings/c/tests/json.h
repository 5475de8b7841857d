/* As much of JSON as the requests of `logflux certify` need, which are objects of a line each: the
 * fields of them, and bytes in hexadecimal and base64. It is no parser for anything else. */

#ifndef JSON_H
#define JSON_H

#include "kept.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Where a field's value begins. Inside of a string the quotes of its name would be escaped. */
static const char *value(const char *from, const char *name) {
  char key[40];
  const char *found;
  snprintf(key, sizeof key, "\"%s\":", name);
  found = strstr(from, key);
  return found == NULL ? NULL : found + strlen(key);
}

static uint32_t number(const char *from, const char *name) {
  const char *at = value(from, name);
  const unsigned long long n = at == NULL ? 0 : strtoull(at, NULL, 10);
  return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static int digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

/* A string, with a NUL after it; of escapes by number, only those of control characters occur. */
static bytes text(const char *from, const char *name) {
  const char *at = value(from, name), *end = at;
  bytes out = {NULL, 0};
  if (at == NULL || *at != '"') {
    return out;
  }
  while (*++end != '"') {
    end += *end == '\\';
  }
  CHECK((out.data = malloc((size_t)(end - at))) != NULL);
  while (++at < end) {
    const char *escape = *at == '\\' ? strchr("b\bf\fn\nr\rt\t", *++at) : NULL;
    if (at[-1] == '\\' && *at == 'u') {
      out.data[out.length++] = (char)(digit(at[3]) * 16 + digit(at[4]));
      at += 4;
    } else {
      out.data[out.length++] = escape == NULL ? *at : escape[1];
    }
  }
  out.data[out.length] = 0;
  return out;
}

static bytes hex(const char *from, const char *name) {
  bytes out = text(from, name);
  size_t i;
  for (i = 0, out.length /= 2; i < out.length; i++) {
    out.data[i] = (char)(digit(out.data[2 * i]) * 16 + digit(out.data[2 * i + 1]));
  }
  return out;
}

static bytes base64(const char *from, const char *name) {
  bytes out = text(from, name);
  uint32_t bits = 0, have = 0;
  size_t i, length = 0;
  for (i = 0; i < out.length && out.data[i] != '='; i++) {
    bits = bits << 6 | (uint32_t)(strchr(letters, out.data[i]) - letters);
    have += 6;
    if (have >= 8) {
      have -= 8;
      out.data[length++] = (char)(bits >> have);
    }
  }
  out.length = length;
  return out;
}

/* Writes bytes as a string of an answer. */
static void put_hex(const char *name, const char *data, size_t length) {
  size_t i;
  printf("\"%s\":\"", name);
  for (i = 0; i < length; i++) {
    printf("%02x", (unsigned char)data[i]);
  }
  printf("\"");
}

static void put_base64(const char *name, const char *data, size_t length) {
  size_t i, j;
  printf("\"%s\":\"", name);
  for (i = 0; i < length; i += 3) {
    uint32_t bits = 0;
    for (j = i; j < i + 3; j++) {
      bits = bits << 8 | (j < length ? (unsigned char)data[j] : 0u);
    }
    for (j = 0; j < 4; j++) {
      putchar(i + j > length ? '=' : letters[bits >> (18 - 6 * j) & 63]);
    }
  }
  printf("\"");
}

#endif
