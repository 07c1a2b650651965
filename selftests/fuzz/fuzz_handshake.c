// SPDX-License-Identifier: GPL-2.0
/*
 * The decrypted payloads of INITIATE and RESPOND: what is accepted can be said
 * again, and then means the same. The first byte chooses.
 */
#include "../../kernel/wire/handshake.h"
#include "fuzz.h"

static void initiate(const u8 *buf, u32 sender)
{
	struct sss_initiate_payload payload, same;
	u8 again[SSS_INITIATE_PAYLOAD];

	if (sss_handshake_get_initiate(buf, sender, &payload))
		return;
	check(!payload.service[SSS_HS_NAME_MAX] && !payload.protocol[SSS_HS_NAME_MAX]);
	/* parameters left out are written; all of them fit only without unknown ones */
	if (sss_handshake_put_initiate(again, sender, &payload))
		return;
	check(!sss_handshake_get_initiate(again, sender, &same));
	check(!memcmp(&payload, &same, sizeof(same)));
	check(sss_handshake_get_initiate(again, sender + 1, &same));
}

static void respond(const u8 *buf, u32 sender)
{
	struct sss_respond_payload payload, same;
	u8 again[SSS_RESPOND_PAYLOAD];

	if (sss_handshake_get_respond(buf, sender, &payload))
		return;
	check(!payload.text[SSS_HS_TEXT_MAX]);
	if (sss_handshake_put_respond(again, sender, &payload))
		return;
	check(!sss_handshake_get_respond(again, sender, &same));
	check(!memcmp(&payload, &same, sizeof(same)));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_input in = { data, data + size };
	u8 which = fuzz_take(&in, 1);
	size_t len = which & 1 ? SSS_RESPOND_PAYLOAD : SSS_INITIATE_PAYLOAD;
	u8 *exact = calloc(1, len);
	u32 sender;

	check(exact);
	memcpy(exact, in.p, min_t(size_t, len, in.end - in.p));
	in = (struct fuzz_input){ exact, exact + len };
	sender = fuzz_take(&in, 4);
	if (which & 1)
		respond(exact, sender);
	else
		initiate(exact, sender);
	free(exact);
	sss_handshake_length_ok(data, size);
	return 0;
}

size_t fuzz_seed(u8 *data, size_t max, u64 *state)
{
	struct sss_initiate_payload i = { .incarnation = 1 + random_width(state, 62),
					  .next_number = random_width(state, 62) };
	struct sss_respond_payload r = { .incarnation = 1, .status = random_below(state, 7) };
	u32 sender = random_u64(state);

	if (max < 1 + SSS_RESPOND_PAYLOAD)
		return 0;
	data[0] = random_below(state, 2);
	sss_params_init(&i.params);
	i.params.max_record = random_width(state, 62);
	r.params = i.params;
	r.has_answer = random_below(state, 2);
	i.has_request = random_below(state, 2);
	i.remembered = random_u64(state);
	strcpy(r.text, "no such service");
	strcpy(i.service, "Shell");
	strcpy(i.protocol, "shell 1");
	if (data[0])
		check(!sss_handshake_put_respond(data + 1, sender, &r));
	else
		check(!sss_handshake_put_initiate(data + 1, sender, &i));
	return 1 + (data[0] ? SSS_RESPOND_PAYLOAD : SSS_INITIATE_PAYLOAD);
}
