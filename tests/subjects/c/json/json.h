/* JSON whose hexadecimal and base64 are bytes, for any C program: no part of LogFlux, on Jansson. */

#ifndef JSON_H
#define JSON_H

#include <jansson.h>
#include <resolv.h> /* base64 of the C library */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { const char *data; size_t length; } bytes;

/* A text, which has a zero at its end; it lives as long as its object. */
static bytes json_text(const json_t *from, const char *name) {
  const json_t *value = json_object_get(from, name);
  bytes text = {json_string_value(value), json_string_length(value)};
  return text;
}

static uint32_t json_number(const json_t *from, const char *name) {
  return (uint32_t)json_integer_value(json_object_get(from, name));
}

/* Texts in hexadecimal (…_hex) and base64 (…_b64) become the bytes that they stand for. */
static void json_decode(json_t *object) {
  json_t *value, *item;
  const char *name;
  size_t i;
  json_object_foreach(object, name, value) {
    bytes text = json_text(object, name);
    unsigned char *data = malloc(text.length + 1);
    size_t length = 0;
    if (strstr(name, "_hex") != NULL) {
      for (; length < text.length / 2; length++) {
        char digits[] = {text.data[2 * length], text.data[2 * length + 1], 0};
        data[length] = (unsigned char)strtoul(digits, NULL, 16);
      }
      json_string_setn_nocheck(value, (char *)data, length);
    } else if (strstr(name, "_b64") != NULL) {
      length = (size_t)b64_pton(text.data, data, text.length + 1);
      json_string_setn_nocheck(value, (char *)data, length);
    }
    free(data);
    json_array_foreach(value, i, item) json_decode(item);
  }
}

/* The next object of a stream, decoded, or NULL at its end. */
static json_t *json_read(FILE *from) {
  json_t *object = json_loadf(from, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, NULL);
  json_decode(object);
  return object;
}

/* Writes an object as a line. */
static void json_write(const json_t *object, FILE *to) {
  json_dumpf(object, to, JSON_COMPACT);
  fputc('\n', to);
  fflush(to);
}

/* An object with a text in hexadecimal or base64. */
static json_t *json_encoded(const char *name, bytes data) {
  size_t room = 2 * data.length + 5, i;
  const unsigned char *from = (const unsigned char *)data.data;
  char *text = calloc(room, 1);
  json_t *object;
  if (strstr(name, "_b64") != NULL) b64_ntop(from, data.length, text, room);
  else for (i = 0; i < data.length; i++) sprintf(text + 2 * i, "%02x", from[i]);
  object = json_pack("{s:s}", name, text);
  free(text);
  return object;
}

#endif
