/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One counter per drop reason and per event worth counting, per network
 * namespace and CPU; and one gauge per kind of live object. Shown in
 * /proc/net/sss_stat and by "sss-netlink stats" under the names given here.
 */
#ifndef _SSS_BASE_MIB_H
#define _SSS_BASE_MIB_H

#include <linux/percpu.h>
#include <linux/atomic.h>
#include <linux/types.h>

/* X(enumerator, name): the only list of counters there is */
#define SSS_MIB_LIST(X)						\
	X(RX_PACKETS, "RxPackets")				\
	X(TX_PACKETS, "TxPackets")				\
	X(RX_BYTES, "RxBytes")					\
	X(TX_BYTES, "TxBytes")					\
	X(TX_BATCHES, "TxBatches")				\
	X(RX_BATCHES, "RxBatches")				\
	X(RX_APPLIED, "RxApplied")				\
	X(TX_ERRORS, "TxErrors")				\
	X(TX_NO_MEMORY, "TxNoMemory")				\
	X(DROP_SHORT, "RxDropShort")				\
	X(DROP_TYPE, "RxDropType")				\
	X(DROP_CHECKSUM, "RxDropChecksum")			\
	X(DROP_NO_HOST, "RxDropNoHost")				\
	X(DROP_INDEX, "RxDropIndex")				\
	X(DROP_AUTH, "RxDropAuth")				\
	X(DROP_REPLAY, "RxDropReplay")				\
	X(DROP_KEY_EXPIRED, "RxDropKeyExpired")			\
	X(DROP_NO_MEMORY, "RxDropNoMemory")			\
	X(DROP_BACKLOG, "RxDropBacklog")			\
	X(DROP_NOT_APPLIED, "RxDropNotApplied")			\
	X(DROP_PROTOCOL, "RxDropProtocol")			\
	X(DROP_ENDPOINT, "RxDropEndpoint")			\
	X(DROP_RELAY, "RxDropRelay")				\
	X(DROP_CLOSED, "RxDropClosed")				\
	X(DROP_CHANNELS, "RxDropChannels")			\
	X(DROP_ACCESS, "RxDropAccess")				\
	X(HS_TX_INITIATE, "HsTxInitiate")			\
	X(HS_RX_INITIATE, "HsRxInitiate")			\
	X(HS_TX_RESPOND, "HsTxRespond")				\
	X(HS_RX_RESPOND, "HsRxRespond")				\
	X(HS_TX_COOKIE, "HsTxCookie")				\
	X(HS_RX_COOKIE, "HsRxCookie")				\
	X(HS_TX_REJECT, "HsTxReject")				\
	X(HS_RX_REJECT, "HsRxReject")				\
	X(HS_CONFIRMED, "HsConfirmed")				\
	X(HS_DUPLICATE, "HsDuplicate")				\
	X(HS_DROP_MAC1, "HsDropMac1")				\
	X(HS_DROP_MAC2, "HsDropMac2")				\
	X(HS_DROP_RATE, "HsDropRate")				\
	X(HS_DROP_QUEUE, "HsDropQueue")				\
	X(HS_DROP_NOISE, "HsDropNoise")				\
	X(HS_DROP_EID, "HsDropEid")				\
	X(HS_DROP_PAYLOAD, "HsDropPayload")			\
	X(HS_DROP_STAMP, "HsDropStamp")				\
	X(HS_DROP_LIMIT, "HsDropLimit")				\
	X(HS_DROP_UNKNOWN, "HsDropUnknown")			\
	X(HS_DROP_COOKIE, "HsDropCookie")			\
	X(HS_DROP_NO_MEMORY, "HsDropNoMemory")			\
	X(HS_DROP_ASLEEP, "HsDropAsleep")			\
	X(HS_DROP_ACCESS, "HsDropAccess")			\
	X(HS_TIMEOUTS, "HsTimeouts")				\
	X(RESOLVE_ASKED, "ResolveAsked")			\
	X(RESOLVE_ANSWERED, "ResolveAnswered")			\
	X(RESOLVE_FAILED, "ResolveFailed")			\
	X(RESOLVE_TIMEOUTS, "ResolveTimeouts")			\
	X(PKTS_LOST, "PktsLost")				\
	X(PKTS_SPURIOUS, "PktsSpurious")			\
	X(CONG_UNDONE, "CongUndone")				\
	X(CONG_PERSISTENT, "CongPersistent")			\
	X(ECN_CE_RECEIVED, "EcnCeReceived")			\
	X(ECN_FAILED, "EcnFailed")				\
	X(PTO, "ProbeTimeouts")					\
	X(PATH_CHANGES, "PathChanges")				\
	X(PMTU_PROBES, "PmtuProbes")				\
	X(PMTU_BLACK_HOLES, "PmtuBlackHoles")			\
	X(ENDPOINTS_REFUSED, "EndpointsRefused")		\
	X(BYTES_RESENT, "BytesResent")				\
	X(ACKS_OPTIMISTIC, "AcksOptimistic")			\
	X(CHANNEL_ERRORS, "ChannelErrors")			\
	X(CHANNELS_EVICTED, "ChannelsEvicted")			\
	X(STREAMS_OPENED, "StreamsOpened")			\
	X(STREAMS_ACCEPTED, "StreamsAccepted")			\
	X(STREAMS_REFUSED, "StreamsRefused")			\
	X(ACCESS_DENIED, "AccessDenied")			\
	X(ACCESS_STREAMS, "AccessStreams")			\
	X(ACCESS_RATE, "AccessRate")				\
	X(STREAMS_HELD, "StreamsHeld")				\
	X(RX_OVER_MEMORY, "RxOverMemory")			\
	X(RESETS_SENT, "ResetsSent")				\
	X(RESETS_RECEIVED, "ResetsReceived")			\
	X(ORPHANS_KILLED, "OrphansKilled")			\
	X(DATAGRAMS_LOST, "DatagramsLost")			\
	X(DATAGRAMS_DROPPED, "DatagramsDropped")		\
	X(FRAMES_IGNORED, "FramesIgnored")			\
	X(RX_COPIED, "RxCopied")				\
	X(RX_DUPLICATE_BYTES, "RxDuplicateBytes")

#define SSS_MIB_ENUM(id, name) SSS_MIB_##id,
enum sss_mib_id { SSS_MIB_LIST(SSS_MIB_ENUM) SSS_MIB_COUNT };
#undef SSS_MIB_ENUM

struct sss_mib {
	u64 value[SSS_MIB_COUNT];
};

/* X(enumerator, name): objects that must all be gone when a test ends */
#define SSS_GAUGE_LIST(X)					\
	X(HOSTS, "Hosts")					\
	X(PEERS, "Peers")					\
	X(CHANNELS, "Channels")					\
	X(HALF_OPEN, "HalfOpen")				\
	X(QUESTIONS, "Questions")				\
	X(KEY_PAIRS, "KeyPairs")				\
	X(STREAMS, "Streams")					\
	X(SOCKETS, "Sockets")					\
	X(SERVICES, "Services")					\
	X(SENT_PACKETS, "SentPackets")				\
	X(TX_CHUNKS, "TxChunks")				\
	X(RX_SEGMENTS, "RxSegments")				\
	X(RX_QUEUED, "RxQueued")				\
	X(RX_MEMORY, "RxMemory")

#define SSS_GAUGE_ENUM(id, name) SSS_GAUGE_##id,
enum sss_gauge_id { SSS_GAUGE_LIST(SSS_GAUGE_ENUM) SSS_GAUGE_COUNT };
#undef SSS_GAUGE_ENUM

struct sss_net;

int sss_mib_init(struct sss_net *sn);
void sss_mib_exit(struct sss_net *sn);
u64 sss_mib_sum(const struct sss_net *sn, enum sss_mib_id id);
const char *sss_mib_name(enum sss_mib_id id);
const char *sss_mib_gauge_name(enum sss_gauge_id id);

#endif /* _SSS_BASE_MIB_H */
