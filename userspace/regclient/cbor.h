/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Reading and writing CBOR (RFC 8949) in place, on libcbor's streaming decoder
 * and encoders: no tree is built, so what a peer sends costs no memory.
 *
 * A reader remembers the first thing that was wrong; after that everything
 * reads as nothing, so that callers look once, at the end.
 */
#ifndef REGCLIENT_CBOR_H
#define REGCLIENT_CBOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "record.h"

enum reg_type {
	REG_T_NONE, REG_T_UINT, REG_T_BYTES, REG_T_TEXT, REG_T_ARRAY, REG_T_MAP, REG_T_BOOL,
	REG_T_TAG, REG_T_OTHER, REG_T_BAD,
};

struct reg_in {
	const uint8_t *p;
	const uint8_t *end;
	enum reg_status error;
};

/* One data item; of arrays and maps only the beginning */
struct reg_item {
	enum reg_type type;
	uint64_t n;		/* value, bytes, elements or pairs */
	const uint8_t *data;
};

/* A walk through a map: keys are unsigned and ascend, so none is there twice */
struct reg_map {
	uint64_t left;
	uint64_t last;
	bool begun;
};

/* The first error counts */
void reg_in_fail(struct reg_in *in, enum reg_status error);
struct reg_item reg_in_item(struct reg_in *in);
/* A whole item of any kind, up to 8 levels deep */
void reg_in_skip(struct reg_in *in);
uint64_t reg_in_uint(struct reg_in *in, uint64_t max);
bool reg_in_bool(struct reg_in *in);
/* Up to max bytes of text and a NUL; INVALID: longer, no UTF-8, or control characters */
void reg_in_text(struct reg_in *in, char *text, size_t max);
/* Up to max bytes; returns how many */
size_t reg_in_bytes(struct reg_in *in, uint8_t *bytes, size_t max);
unsigned int reg_in_array(struct reg_in *in, unsigned int max);
struct reg_map reg_in_map(struct reg_in *in);
/* The next key, or false at the end and after an error */
bool reg_in_key(struct reg_in *in, struct reg_map *map, uint64_t *key);
/* Nothing may follow the item that was read */
enum reg_status reg_in_end(struct reg_in *in);

struct reg_out {
	uint8_t *p;
	uint8_t *end;
	bool full;
};

void reg_out_uint(struct reg_out *out, uint64_t v);
void reg_out_bool(struct reg_out *out, bool v);
void reg_out_text(struct reg_out *out, const char *text);
void reg_out_bytes(struct reg_out *out, const void *bytes, size_t len);
/* A map or array of up to 23: its head, which reg_out_key() and _element() count up */
uint8_t *reg_out_map(struct reg_out *out);
uint8_t *reg_out_array(struct reg_out *out);
void reg_out_key(struct reg_out *out, uint8_t *map, unsigned int key);
void reg_out_element(struct reg_out *out, uint8_t *array);

#endif /* REGCLIENT_CBOR_H */
