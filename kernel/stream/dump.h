/* SPDX-License-Identifier: GPL-2.0 */
/* What a list of streams tells of each: info.c. */
#ifndef _SSS_STREAM_DUMP_H
#define _SSS_STREAM_DUMP_H

#include "stream/stream.h"

/**
 * struct sss_stream_entry - what a dump tells of one stream
 * @id: stream id
 * @parent: parent's id or SSS_ID_ROOT
 * @kind: SSS_KIND_*
 * @has_uid: there is a socket, @uid owns it
 * @uid: owner
 * @request: names
 * @info: as SSS_INFO
 */
struct sss_stream_entry {
	u64 id;
	u64 parent;
	u8 kind;
	bool has_uid;
	kuid_t uid;
	struct sss_request request;
	struct sss_info info;
};

bool sss_stream_dump(struct sss_channel *ch, u64 *cursor, struct sss_stream_entry *entry);

#endif /* _SSS_STREAM_DUMP_H */
