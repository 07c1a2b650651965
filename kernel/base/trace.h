/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints, /sys/kernel/tracing/events/sss: what happens to handshakes,
 * packets, paths and streams. Numbers, sizes and addresses only: no key and no
 * byte of a program's data. sss-qlog reads them, so their names and fields are
 * in use outside the kernel.
 *
 * "net" is the inode number of the network namespace, "channel" and "host" are
 * those of the log lines; 0: none.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM sss

#if !defined(_SSS_BASE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _SSS_BASE_TRACE_H

#include <linux/in6.h>
#include <linux/tracepoint.h>
#include "base/netns.h"

#define SSS_TRACE_REASON(id, name) { SSS_MIB_##id, name },
#define sss_trace_reason(reason) \
	__print_symbolic(reason, SSS_MIB_LIST(SSS_TRACE_REASON) { SSS_MIB_COUNT, "" })

#define SSS_TRACE_CHANNEL __field(u32, net) __field(u32, channel)
#define SSS_TRACE_SET_CHANNEL __entry->net = sn->net->ns.inum; __entry->channel = channel;

#define sss_trace_message(type)					\
	__print_symbolic(type, { 1, "INITIATE" }, { 2, "RESPOND" },	\
			 { 3, "COOKIE" }, { 4, "REJECT" })

DECLARE_EVENT_CLASS(sss_message,
	TP_PROTO(const struct sss_net *sn, u32 host, u8 type, const struct sockaddr *addr),
	TP_ARGS(sn, host, type, addr),
	TP_STRUCT__entry(
		__field(u32, net)
		__field(u32, host)
		__field(u8, type)
		__array(u8, addr, sizeof(struct sockaddr_in6))
	),
	TP_fast_assign(
		__entry->net = sn->net->ns.inum;
		__entry->host = host;
		__entry->type = type;
		memcpy(__entry->addr, addr, sizeof(struct sockaddr_in6));
	),
	TP_printk("net=%u host=%u type=%s addr=%pISpc", __entry->net, __entry->host,
		  sss_trace_message(__entry->type), __entry->addr)
);

DEFINE_EVENT(sss_message, sss_handshake_sent,
	TP_PROTO(const struct sss_net *sn, u32 host, u8 type, const struct sockaddr *addr),
	TP_ARGS(sn, host, type, addr));

DEFINE_EVENT(sss_message, sss_handshake_received,
	TP_PROTO(const struct sss_net *sn, u32 host, u8 type, const struct sockaddr *addr),
	TP_ARGS(sn, host, type, addr));

TRACE_EVENT(sss_handshake_confirmed,
	TP_PROTO(const struct sss_net *sn, u32 host, u32 channel, bool initiator),
	TP_ARGS(sn, host, channel, initiator),
	TP_STRUCT__entry(
		__field(u32, net)
		__field(u32, host)
		__field(u32, channel)
		__field(bool, initiator)
	),
	TP_fast_assign(
		__entry->net = sn->net->ns.inum;
		__entry->host = host;
		__entry->channel = channel;
		__entry->initiator = initiator;
	),
	TP_printk("net=%u host=%u channel=%u initiator=%u", __entry->net, __entry->host,
		  __entry->channel, __entry->initiator)
);

DECLARE_EVENT_CLASS(sss_drop,
	TP_PROTO(const struct sss_net *sn, u32 host, u32 channel, int reason, u32 packets),
	TP_ARGS(sn, host, channel, reason, packets),
	TP_STRUCT__entry(
		__field(u32, net)
		__field(u32, host)
		__field(u32, channel)
		__field(int, reason)
		__field(u32, packets)
	),
	TP_fast_assign(
		__entry->net = sn->net->ns.inum;
		__entry->host = host;
		__entry->channel = channel;
		__entry->reason = reason;
		__entry->packets = packets;
	),
	TP_printk("net=%u host=%u channel=%u reason=%s packets=%u", __entry->net, __entry->host,
		  __entry->channel, sss_trace_reason(__entry->reason), __entry->packets)
);

#define SSS_TRACE_DROP(name) DEFINE_EVENT(sss_drop, name,				\
	TP_PROTO(const struct sss_net *sn, u32 host, u32 channel, int reason, u32 packets), \
	TP_ARGS(sn, host, channel, reason, packets))

SSS_TRACE_DROP(sss_handshake_failed);
SSS_TRACE_DROP(sss_packet_dropped);

DECLARE_EVENT_CLASS(sss_packet,
	TP_PROTO(const struct sss_net *sn, u32 channel, u64 number, u32 len),
	TP_ARGS(sn, channel, number, len),
	TP_STRUCT__entry(
		SSS_TRACE_CHANNEL
		__field(u64, number)
		__field(u32, len)
	),
	TP_fast_assign(
		SSS_TRACE_SET_CHANNEL
		__entry->number = number;
		__entry->len = len;
	),
	TP_printk("net=%u channel=%u number=%llu len=%u", __entry->net, __entry->channel,
		  __entry->number, __entry->len)
);

#define SSS_TRACE_PACKET(name) DEFINE_EVENT(sss_packet, name,			\
	TP_PROTO(const struct sss_net *sn, u32 channel, u64 number, u32 len),	\
	TP_ARGS(sn, channel, number, len))

SSS_TRACE_PACKET(sss_packet_sent);
SSS_TRACE_PACKET(sss_packet_received);
SSS_TRACE_PACKET(sss_packet_lost);

TRACE_EVENT(sss_packets_acked,
	TP_PROTO(const struct sss_net *sn, u32 channel, u64 first, u64 last),
	TP_ARGS(sn, channel, first, last),
	TP_STRUCT__entry(
		SSS_TRACE_CHANNEL
		__field(u64, first)
		__field(u64, last)
	),
	TP_fast_assign(
		SSS_TRACE_SET_CHANNEL
		__entry->first = first;
		__entry->last = last;
	),
	TP_printk("net=%u channel=%u first=%llu last=%llu", __entry->net, __entry->channel,
		  __entry->first, __entry->last)
);

TRACE_EVENT(sss_metrics_updated,
	TP_PROTO(const struct sss_net *sn, u32 channel, u64 cwnd, u64 ssthresh, u64 in_flight,
		 u32 rtt, u32 rttvar, u32 min_rtt, u32 latest_rtt, u32 ptos),
	TP_ARGS(sn, channel, cwnd, ssthresh, in_flight, rtt, rttvar, min_rtt, latest_rtt, ptos),
	TP_STRUCT__entry(
		SSS_TRACE_CHANNEL
		__field(u64, cwnd)
		__field(u64, ssthresh)
		__field(u64, in_flight)
		__field(u32, rtt)
		__field(u32, rttvar)
		__field(u32, min_rtt)
		__field(u32, latest_rtt)
		__field(u32, ptos)
	),
	TP_fast_assign(
		SSS_TRACE_SET_CHANNEL
		__entry->cwnd = cwnd;
		__entry->ssthresh = ssthresh;
		__entry->in_flight = in_flight;
		__entry->rtt = rtt;
		__entry->rttvar = rttvar;
		__entry->min_rtt = min_rtt;
		__entry->latest_rtt = latest_rtt;
		__entry->ptos = ptos;
	),
	TP_printk("net=%u channel=%u cwnd=%llu ssthresh=%llu in_flight=%llu rtt=%u rttvar=%u min_rtt=%u latest_rtt=%u ptos=%u",
		  __entry->net, __entry->channel, __entry->cwnd, __entry->ssthresh,
		  __entry->in_flight, __entry->rtt, __entry->rttvar, __entry->min_rtt,
		  __entry->latest_rtt, __entry->ptos)
);

DECLARE_EVENT_CLASS(sss_path,
	TP_PROTO(const struct sss_net *sn, u32 channel, const struct sockaddr *addr),
	TP_ARGS(sn, channel, addr),
	TP_STRUCT__entry(
		SSS_TRACE_CHANNEL
		__array(u8, addr, sizeof(struct sockaddr_in6))
	),
	TP_fast_assign(
		SSS_TRACE_SET_CHANNEL
		memcpy(__entry->addr, addr, sizeof(struct sockaddr_in6));
	),
	TP_printk("net=%u channel=%u addr=%pISpc", __entry->net, __entry->channel, __entry->addr)
);

#define SSS_TRACE_PATH(name) DEFINE_EVENT(sss_path, name,			\
	TP_PROTO(const struct sss_net *sn, u32 channel, const struct sockaddr *addr), \
	TP_ARGS(sn, channel, addr))

SSS_TRACE_PATH(sss_path_challenged);
SSS_TRACE_PATH(sss_path_validated);
SSS_TRACE_PATH(sss_path_changed);

TRACE_EVENT(sss_path_mtu,
	TP_PROTO(const struct sss_net *sn, u32 channel, u32 mtu),
	TP_ARGS(sn, channel, mtu),
	TP_STRUCT__entry(
		SSS_TRACE_CHANNEL
		__field(u32, mtu)
	),
	TP_fast_assign(
		SSS_TRACE_SET_CHANNEL
		__entry->mtu = mtu;
	),
	TP_printk("net=%u channel=%u mtu=%u", __entry->net, __entry->channel, __entry->mtu)
);

DECLARE_EVENT_CLASS(sss_stream,
	TP_PROTO(const struct sss_net *sn, u32 channel, u64 id, u64 code),
	TP_ARGS(sn, channel, id, code),
	TP_STRUCT__entry(
		SSS_TRACE_CHANNEL
		__field(u64, id)
		__field(u64, code)
	),
	TP_fast_assign(
		SSS_TRACE_SET_CHANNEL
		__entry->id = id;
		__entry->code = code;
	),
	TP_printk("net=%u channel=%u id=%llu code=%llu", __entry->net, __entry->channel,
		  __entry->id, __entry->code)
);

#define SSS_TRACE_STREAM(name) DEFINE_EVENT(sss_stream, name,			\
	TP_PROTO(const struct sss_net *sn, u32 channel, u64 id, u64 code),	\
	TP_ARGS(sn, channel, id, code))

SSS_TRACE_STREAM(sss_stream_opened);
SSS_TRACE_STREAM(sss_stream_accepted);
SSS_TRACE_STREAM(sss_stream_closed);
SSS_TRACE_STREAM(sss_stream_reset_sent);
SSS_TRACE_STREAM(sss_stream_reset_received);

#endif /* _SSS_BASE_TRACE_H */

/* With -iquote kernel/, as everything here is found */
#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH base
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
