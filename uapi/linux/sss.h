/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * AF_SSS: encrypted, authenticated streams between identities, over UDP.
 *
 * This is the only header a program needs. A program makes a socket with
 * socket(AF_SSS, SOCK_STREAM, 0), names its peer by a struct sockaddr_sss
 * (key, service, protocol) and then uses connect(), bind(), listen(),
 * accept(), send(), recv(), poll() and close() as it would on TCP.
 */
#ifndef _UAPI_LINUX_SSS_H
#define _UAPI_LINUX_SSS_H

#include <linux/types.h>
#include <linux/socket.h>
#include <linux/sockios.h>
#ifndef __KERNEL__
#include <sys/socket.h>		/* sa_family_t, and AF_* where libc names one */
#endif

/* The slot of AF_SNA, which never had an implementation. */
#ifndef AF_SSS
#define AF_SSS			22
#define PF_SSS			AF_SSS
#endif

#define SOL_SSS			9660	/* level for setsockopt(), getsockopt(), cmsg */
#define SSS_DEFAULT_PORT	9660	/* UDP */
#define SSS_EID_LEN		32
#define SSS_NAME_MAX		45	/* bytes of a service or protocol name */
#define SSS_DESC_MAX		255	/* bytes of a description or a reason */

/*
 * Service names that begin with a dot are reserved (EACCES from listen()
 * without CAP_NET_BIND_SERVICE). The kernel itself answers a SOCK_STREAM to
 * this pair with a list of what the peer offers to us: entries to the end of
 * the stream, each the kind (0: stream, 1: datagram) in one byte, then service,
 * protocol and their descriptions, each as one byte of length and that many
 * bytes of UTF-8. A list of more than 256 KiB is cut; its last byte is then
 * SSS_BROWSE_CUT where the kind would be.
 */
#define SSS_BROWSE_SERVICE	".sss"
#define SSS_BROWSE_PROTOCOL	"browse 1"
#define SSS_BROWSE_CUT		0xff

/**
 * struct sss_eid - identity of a host
 * @key: X25519 public key; all zero means "any" when listening and "the
 *	default host" for the local end of a connect
 *
 * A key whose top bit is set, which is not below 2^255-19 or which is of low
 * order is refused with EINVAL, so that one key has exactly one EID.
 */
struct sss_eid {
	__u8 key[SSS_EID_LEN];
};

/**
 * struct sockaddr_sss - address of a service, 128 bytes
 * @sss_family: AF_SSS
 * @sss_flags: 0
 * @sss_eid: connect(): the peer; bind(): the local identity (zero: every
 *	host when listening, the default host when connecting)
 * @sss_service: NUL-terminated UTF-8, 1 to SSS_NAME_MAX bytes
 * @sss_protocol: NUL-terminated UTF-8, 1 to SSS_NAME_MAX bytes
 *
 * bind() before connect() may leave both names empty: it chooses the local
 * identity only. EINVAL: short address, missing NUL, non-zero flags, bad key
 * or name. EAFNOSUPPORT: another family.
 */
struct sockaddr_sss {
	__kernel_sa_family_t	sss_family;
	__u16			sss_flags;
	struct sss_eid		sss_eid;
	char			sss_service[SSS_NAME_MAX + 1];
	char			sss_protocol[SSS_NAME_MAX + 1];
};

/*
 * Socket options, level SOL_SSS. A struct option accepts a longer struct as
 * long as its tail beyond what this kernel knows is zero (E2BIG otherwise);
 * shorter than the first version is EINVAL.
 */
#define SSS_SERVICE_DESC	1	/* rw char[]: description shown to peers that browse */
#define SSS_PROTOCOL_DESC	2	/* rw char[] */
#define SSS_STATUS		3	/* r  struct sss_status: how the peer answered */
#define SSS_INFO		4	/* r  struct sss_info */
#define SSS_CORK		5	/* rw int: hold back partial packets, 200 ms at most */
#define SSS_FASTOPEN		6	/* rw int: connect() on a live channel does not wait */
#define SSS_USER_TIMEOUT	7	/* rw unsigned int: ms without progress, 0: no limit */
#define SSS_FAMILY		8	/* rw int: AF_UNSPEC, AF_INET or AF_INET6 only */
#define SSS_LISTEN_INHERIT	9	/* rw int: substreams of this stream listen, too */
#define SSS_PRIORITY		10	/* rw struct sss_priority */
#define SSS_RECORDS		11	/* rw int: recv() on SOCK_STREAM shows empty records */
#define SSS_PENDING		12	/* r  struct sss_pending */
#define SSS_EVENTS		15	/* rw unsigned int: bits of enum sss_event_type */
#define SSS_LOCAL_ENDPOINT	16	/* r  struct sockaddr_in or sockaddr_in6 */
#define SSS_PEER_ENDPOINT	17	/* r  likewise */
#define SSS_ADD_ENDPOINT	18	/* w  likewise: where the peer may be */
#define SSS_BACKGROUND		19	/* rw int: gives way to everything else, see below */
#define SSS_RELIABLE		20	/* rw int: datagrams have to arrive; cmsg, too */
#define SSS_DEADLINE		21	/* rw int: ms a datagram is good for; cmsg, too */

/**
 * struct sss_priority - which of the streams to one peer goes first
 * @urgency: 0 (first) to 7; 3 unless set. Nothing of a level is sent while one
 *	above has something that may be sent
 * @incremental: 1 (unless set): streams of a level share it by @weight; 0: those
 *	of a level go one after the other and together take the share of one
 * @weight: 1 to 255, 16 unless set
 * @reserved: 0
 *
 * May change at any time; substreams begin with that of their parent. It orders
 * what we send, and the peer is told to order what it sends; where both ends
 * have set one, what the receiver of the data wants counts. It is compared among
 * streams of one user; users share equally, unless it is set with CAP_NET_ADMIN:
 * then it counts against the streams of all users. EINVAL: out of range.
 */
struct sss_priority {
	__u8	urgency;
	__u8	incremental;
	__u8	weight;
	__u8	reserved;
};

/*
 * SSS_BACKGROUND: 1: what is sent on the stream gives way: to all other streams of
 * both hosts' channel that have something to send, and on the path to everybody
 * else, as LEDBAT (RFC 6817) does. A path that nobody else uses it fills. 0, unless
 * set: it is sent as usual. All such streams of a channel have one congestion window
 * together, inside the channel's; the other streams have all of the channel's.
 *
 * May change at any time, for what is sent from then on. It concerns what this end
 * sends. Streams accepted from a listening socket that has it begin with it, as do
 * substreams and datagrams of a stream that has it, whichever end opens them. Nothing
 * moves on it while other streams always have something to send: SSS_USER_TIMEOUT
 * counts that time.
 */

/**
 * struct sss_pending - records that wait to be read
 * @records: complete ones
 * @flags: SSS_PENDING_COMPLETE: the first is complete
 * @size: bytes of the first, as far as it has come and is not read
 *
 * A record ends at send(MSG_EOR), or at each send() without MSG_MORE on
 * SOCK_SEQPACKET. EMSGSIZE: longer than the peer takes (16 MiB), and none of
 * this send() was taken. recv() never crosses the end of a record; MSG_EOR in
 * msg_flags says that the data ends there. On SOCK_SEQPACKET one recv() takes
 * one record; what does not fit is lost (MSG_TRUNC). On SOCK_STREAM empty
 * records are skipped, unless SSS_RECORDS: then 0 with MSG_EOR, as for the end
 * of a record whose bytes were read before it came.
 */
struct sss_pending {
	__u32	records;
	__u32	flags;
#define SSS_PENDING_COMPLETE	1
	__u64	size;
};

/*
 * Endpoints: UDP addresses. SSS_LOCAL_ENDPOINT and SSS_PEER_ENDPOINT say where the
 * packets of a stream go from and to; both change while streams go on. ENOTCONN: no
 * channel yet; ENETUNREACH: no route leads there now; EINVAL: too little room.
 *
 * SSS_ADD_ENDPOINT says where the peer may be, once for each place: before
 * connect() that of the peer that will be called, which then need not be configured;
 * on a stream that of its peer, for when the path in use is dead. Whoever answers
 * there has to prove that it is the peer. From a program without CAP_NET_ADMIN it is
 * a hint: it takes the place of nothing that was configured or has proved itself,
 * and at most 3 packets a minute go there until an answer comes. With it, it counts as
 * configured. Not on listening sockets, nor those of SOCK_DGRAM. EINVAL: port 0, an
 * unspecified, multicast or broadcast address, a link-local one without an interface;
 * EADDRNOTAVAIL: loopback, unless net.sss.allow_loopback; EAFNOSUPPORT; ENOBUFS:
 * eight are known; EOPNOTSUPP: not this kind of socket.
 */

/*
 * Datagrams: a SOCK_DGRAM socket takes those of all who call the names it is bound
 * to, and sends to any; there is no accept(). SSS_IOC_OPEN with SOCK_DGRAM gives a
 * socket for those of one end of a stream. One send() is one datagram, one recv()
 * takes one, whole; they arrive in any order. Best effort unless SSS_RELIABLE; long
 * ones are sent reliably where they would hardly arrive otherwise. EMSGSIZE: longer
 * than the peer takes (16 MiB). SSS_RELIABLE and SSS_DEADLINE are also control
 * messages of one sendmsg(), each with an int. ENOTCONN: the stream is over.
 */

/*
 * Substreams. A stream may be opened on any stream, from either end, to any
 * depth; who holds the other end of the parent takes it with listen() and
 * accept() on the parent. listen() on a stream says how many may wait there; without it
 * 8 do, and what is more waits with its data at the opener, whose writes block
 * (EAGAIN) at SO_SNDBUF. A substream outlives its parent; it has the parent's addresses and,
 * to begin with, the parent's socket options. poll() tells of one that waits by POLLRDBAND.
 */

/**
 * struct sss_open - ioctl(stream, SSS_IOC_OPEN, &open): a new stream on a stream
 * @kind: SOCK_STREAM, SOCK_SEQPACKET; SOCK_DGRAM: not a stream but a socket for
 *	the datagrams of this stream end, at most one at a time (EBUSY)
 * @flags: SOCK_CLOEXEC, SOCK_NONBLOCK, of the new descriptor
 * @reserved: 0
 *
 * Returns a descriptor at once, writable at once: no packet is waited for, and
 * the first data goes with the request. ENOTCONN: not a stream, or it is over;
 * ENOBUFS: 65536 streams are open to this peer; EINVAL, ESOCKTNOSUPPORT.
 */
struct sss_open {
	__u32	kind;
	__u32	flags;
	__u32	reserved[6];
};

/**
 * struct sss_acceptor - ioctl(stream, SSS_IOC_ACCEPTOR, &acceptor): a listening socket
 * @flags: SOCK_CLOEXEC, SOCK_NONBLOCK, of the new descriptor
 * @backlog: as of listen()
 * @reserved: 0
 *
 * For event loops: a descriptor on which accept() gives the substreams of this
 * stream, and which polls POLLIN when one waits. It takes over from the
 * stream's own listen(). EBUSY: there is one already. accept() fails with
 * EINVAL once the stream is over and none waits.
 */
struct sss_acceptor {
	__u32	flags;
	__u32	backlog;
	__u32	reserved[2];
};

#define SSS_IOC_OPEN		(SIOCPROTOPRIVATE + 0)
#define SSS_IOC_ACCEPTOR	(SIOCPROTOPRIVATE + 1)

/**
 * struct sss_reset - ioctl(stream, SSS_IOC_RESET, &reset): give a stream up
 * @code: for the peer, below 2^62; 0 is what a program that just goes away says
 * @flags: SSS_RESET_SUBTREE: the streams opened on it, too, to any depth
 * @reserved: 0
 * @reason: for the peer, NUL-terminated UTF-8, may be empty
 *
 * Both directions end at once: send() gives EPIPE, recv() what had arrived and
 * then 0. The peer can read what arrived before, then gets ECONNRESET, and
 * finds @code and @reason in SSS_STATUS. The descriptor stays, and what was not
 * delivered can be taken back from it (SSS_EV_UNDELIVERED). Other descriptors
 * of a subtree get ECONNABORTED, at the peer ECONNRESET. What is on a stream
 * that is over already is no longer known to belong to the tree.
 *
 * ENOTCONN: no stream, connect() is under way, or it is over; EINVAL.
 */
struct sss_reset {
	__u64	code;
	__u32	flags;
#define SSS_RESET_SUBTREE	1
	__u32	reserved;
	char	reason[SSS_DESC_MAX + 1];
};

#define SSS_IOC_RESET		(SIOCPROTOPRIVATE + 2)

/*
 * What recvmsg(MSG_ERRQUEUE) tells, one at a time, oldest first, while poll()
 * says POLLPRI. It never waits: EAGAIN.
 */
enum sss_event_type {
	SSS_EV_LINK_UP = 0,		/* the stream is connected, or the link is back */
	SSS_EV_LINK_STALLED = 1,	/* no answer for a probe timeout */
	SSS_EV_LINK_DOWN = 2,		/* nor for 20 s; or there is no route */
	SSS_EV_BYTES_ACKED = 3,		/* bytes, up to offset; those in a row become one */
	SSS_EV_RECEIVE_BLOCKED = 4,	/* the window is full: the peer waits for recv() */
	SSS_EV_NEW_SUBSTREAM = 5,	/* code: its id; accept() gives it */
	SSS_EV_RESET = 6,		/* by the peer: code and text */
	SSS_EV_ERROR = 7,		/* error: what broke the stream; text, if any */
	SSS_EV_SENDER_DRY = 8,		/* all that was written is acknowledged */
	SSS_EV_DATAGRAM = 9,		/* bytes: of a datagram that can be read */
	/* unasked: */
	SSS_EV_OVERFLOW = 30,		/* code: events that were lost here */
	SSS_EV_UNDELIVERED = 31,	/* data given back: bytes from offset on, left after them */
};

#define SSS_EV_ALL	0x3ff		/* all that SSS_EVENTS may ask for, as 1 << type */

/**
 * struct sss_cm_event - control message SSS_CM_EVENT of level SOL_SSS
 * @type: enum sss_event_type
 * @error: positive errno
 * @time: ns of CLOCK_MONOTONIC
 * @code: as the type says
 * @offset: bytes since the beginning of the stream
 * @bytes: of them
 * @left: bytes that follow
 * @flags: SSS_EV_RECORD: the bytes given back end a record, or are an empty one
 * @reserved: 0
 * @text: NUL-terminated; from the peer
 *
 * Too little room for it: EMSGSIZE, and nothing is lost. What comes with
 * SSS_EV_UNDELIVERED is in the iovec; a longer one is given in parts.
 */
struct sss_cm_event {
	__u32	type;
	__s32	error;
	__u64	time;
	__u64	code;
	__u64	offset;
	__u64	bytes;
	__u64	left;
	__u32	flags;
#define SSS_EV_RECORD	1
	__u32	reserved;
	char	text[SSS_DESC_MAX + 1];
};

#define SSS_CM_EVENT		1

/* How a peer answers a request for a service; errno of connect() behind it */
enum sss_service_status {
	SSS_SERVICE_OK = 0,
	SSS_SERVICE_UNKNOWN = 1,	/* no such service: ECONNREFUSED */
	SSS_SERVICE_NO_PROTOCOL = 2,	/* no such protocol on it: EPROTONOSUPPORT */
	SSS_SERVICE_WRONG_KIND = 3,	/* other kind of socket: EPROTOTYPE */
	SSS_SERVICE_DENIED = 4,		/* not admitted: EACCES */
	SSS_SERVICE_BUSY = 5,		/* backlog full, or a limit of this EID's: EBUSY */
};

/**
 * struct sss_status - the peer's answer to the service request, or its reset
 * @status: enum sss_service_status
 * @reset_code: 62-bit code of a reset received, if any
 * @text: NUL-terminated text that came with either
 */
struct sss_status {
	__u32	status;
	__u32	flags;
#define SSS_STATUS_ANSWERED	1	/* @status is the peer's answer */
#define SSS_STATUS_RESET	2	/* @reset_code was received */
	__u64	reset_code;
	char	text[SSS_DESC_MAX + 1];
};

/**
 * struct sss_info - what the kernel knows about a stream and its channel
 *
 * Times are in microseconds, sizes and windows in bytes, rates in bytes per
 * second. Zero where there is no channel yet.
 */
struct sss_info {
	__u64	stream_id;		/* ~0: none yet */
	__u32	state;			/* TCP_* numbers, as in struct tcp_info */
	__u32	link;			/* enum sss_link */
	__u64	bytes_sent;		/* program bytes put into packets the first time */
	__u64	bytes_acked;
	__u64	bytes_received;		/* in order, whether read or not */
	__u64	bytes_resent;
	__u64	send_window;		/* what the peer still lets this stream send */
	__u64	recv_window;
	__u32	sndq;			/* accepted by send(), not yet acknowledged */
	__u32	rcvq;			/* readable now */
	/* the channel, shared by all streams to this peer */
	__u32	rtt;
	__u32	rttvar;
	__u32	min_rtt;
	__u32	pmtu;			/* largest UDP payload in use */
	__u64	cwnd;
	__u64	ssthresh;
	__u64	in_flight;
	__u64	pacing_rate;
	__u64	pkts_sent;
	__u64	pkts_received;
	__u64	pkts_lost;		/* declared lost */
	__u64	pkts_spurious;		/* declared lost, acknowledged later */
	__u32	connect_rtts;		/* round trips that the handshake took */
	__u32	ptos;			/* probe timeouts so far */
	__u32	path;			/* SSS_PATH_* */
#define SSS_PATH_RELAYED	1	/* through a relay: SSS_PEER_ENDPOINT is the relay's */
	__u32	reserved;
};

/* State of the link under a stream */
enum sss_link {
	SSS_LINK_NONE = 0,		/* no channel yet */
	SSS_LINK_UP = 1,
	SSS_LINK_STALLED = 2,		/* a probe timeout without progress */
	SSS_LINK_DOWN = 3,		/* nothing for 20 s, or no route */
};

/*
 * Generic netlink, family "sss" version 1. The same contract in the kernel's
 * YAML form: Documentation/netlink/specs/sss.yaml.
 *
 * Who may: changes, the private key and the groups "monitor" and "resolve" need
 * CAP_NET_ADMIN in the user namespace that owns the network namespace (EPERM).
 * Everything else may be read by everybody and never contains a secret.
 * Every request is checked completely before anything changes; a refused one
 * has changed nothing and says why in an extended ack.
 * Unknown attributes, and known ones that a command does not list: EINVAL.
 * Numbers are in host order, but for what is inside a sockaddr.
 *
 *   HOST_NEW   in   HOST_NAME, [HOST_PRIVATE_KEY: the kernel makes one],
 *                   [HOST_PORT: 9660], [HOST_FLAGS], [HOST_FLAGS_MASK: all of
 *                   HOST_FLAGS], [HOST_UID: caller], [HOST_GID: caller],
 *                   [HOST_MODE: 0666], [HOST_PADDING: none],
 *                   [HOST_ACCESS: anyone], [MAX_STREAMS: no limit],
 *                   [STREAM_RATE: no limit]
 *              The first host becomes the default unless HOST_FLAGS_MASK has
 *              F_DEFAULT and HOST_FLAGS has not.
 *              EEXIST same name or same key; EADDRINUSE port busy
 *   HOST_DEL   in   HOST_NAME or HOST_EID
 *              ENOENT no such host
 *   HOST_SET   in   HOST_NAME or HOST_EID, then what changes: [HOST_PORT],
 *                   [HOST_FLAGS + HOST_FLAGS_MASK], [HOST_UID], [HOST_GID],
 *                   [HOST_MODE], [HOST_PADDING], [HOST_ACCESS],
 *                   [MAX_STREAMS], [STREAM_RATE]
 *              Access and limits count from the next handshake and stream that a
 *              peer begins; what is open stays.
 *   HOST_GET   in   do: [HOST_NAME or HOST_EID: the default host],
 *                   [HOST_WANT_KEY]; dump: nothing
 *              out  HOST_ID, HOST_NAME, HOST_EID, HOST_PORT, HOST_FLAGS,
 *                   HOST_UID, HOST_GID, HOST_MODE, HOST_PADDING, HOST_ACCESS,
 *                   MAX_STREAMS, STREAM_RATE; HOST_PRIVATE_KEY if asked for
 *   PEER_NEW   in   [HOST_NAME or HOST_EID: the default host], PEER_EID,
 *                   [PEER_PSK], [ENDPOINTS]
 *              EEXIST; EADDRNOTAVAIL own EID; EINVAL an endpoint that may not be
 *   PEER_DEL   in   [HOST_NAME or HOST_EID], PEER_EID
 *   PEER_SET   in   [HOST_NAME or HOST_EID], PEER_EID, [PEER_PSK],
 *                   [ENDPOINTS: replace all; an empty nest: none]
 *   PEER_GET   in   dump: [HOST_NAME or HOST_EID: all hosts]
 *              out  HOST_NAME, HOST_EID, PEER_ID, PEER_EID, PEER_FLAGS,
 *                   [ENDPOINTS
 *                        ENDPOINT: best first
 *                        ENDPOINT ...],
 *                   [RELAYS
 *                        RELAY ...]
 *   CHANNEL_GET, dump
 *              out  HOST_NAME, HOST_EID, PEER_EID, CHANNEL_ID, [ENDPOINT, or
 *                   RELAYS with one], INFO, [LAST_HANDSHAKE], [KEY_AGE]
 *   CHANNEL_REKEY
 *              in   [HOST_NAME or HOST_EID: the default host], PEER_EID
 *              Begins a handshake that replaces the keys, unless one is under
 *              way; does not wait for it.
 *              ENOENT no such peer; ENOTCONN no channel, or none with keys yet
 *   CHANNEL_CLOSE
 *              in   [HOST_NAME or HOST_EID: the default host], PEER_EID
 *              Ends the channel: streams here end with ECONNABORTED, the
 *              peer's with ECONNRESET. The peer stays.
 *              ENOENT no such peer; ENOTCONN no channel
 *   SERVICE_GET, dump
 *              out  [HOST_NAME, HOST_EID: absent on every host], SERVICE,
 *                   PROTOCOL, KIND, [SERVICE_DESC], [PROTOCOL_DESC], UID,
 *                   QUEUED, BACKLOG
 *   STREAM_GET, dump
 *              out  HOST_NAME, HOST_EID, PEER_EID, CHANNEL_ID, STREAM_ID,
 *                   [PARENT_ID], KIND, [SERVICE, PROTOCOL], [UID], INFO
 *   STATS_GET, do
 *              out  STATS
 *                       STAT
 *                           STAT_NAME
 *                           STAT_VALUE
 *                       STAT ...
 *   ACCESS_NEW in   [HOST_NAME or HOST_EID: the default host], [PEER_EID: everybody],
 *                   [SERVICE: every one], [MAX_STREAMS, STREAM_RATE: as the
 *                   host], [ACCESS_DENY]
 *              Rules count while HOST_ACCESS is SSS_ACCESS_RULES. Of those that
 *              fit, that for this EID and service decides, else that for this EID,
 *              else that for this service, else that for everybody and every
 *              service; where none fits nobody is admitted.
 *              EEXIST this EID and service; ENOSPC 4096 rules
 *   ACCESS_SET in   as ACCESS_NEW: instead of the rule for this EID and service
 *              ENOENT no such rule
 *   ACCESS_DEL in   [HOST_NAME or HOST_EID], [PEER_EID], [SERVICE]
 *              ENOENT no such rule
 *   ACCESS_GET in   dump: [HOST_NAME or HOST_EID: all hosts]
 *              out  HOST_NAME, HOST_EID, [PEER_EID], [SERVICE], [MAX_STREAMS],
 *                   [STREAM_RATE], [ACCESS_DENY]
 *   EVENT, to the group "monitor"
 *              out  EVENT, HOST_EID, [HOST_NAME], [PEER_EID]
 *   RESOLVE, to the group "resolve"
 *              out  HOST_NAME, HOST_EID, PEER_EID
 *              A program wants this peer, and no endpoint is known, or none
 *              of those known answers. Repeated a few times while nobody answers.
 *              Who listens sets NETLINK_BROADCAST_ERROR, or it looks as if nobody
 *              did while its socket is full.
 *   RESOLVE    in   [HOST_NAME or HOST_EID: the default host], PEER_EID, and
 *                   either ENDPOINTS or RELAYS or both, one to eight in all:
 *                   where it may be. An INITIATE goes to all at once, and again as for a connect(),
 *                   whether or not a program waits; what other answers said
 *                   before stays, as far as there is room; the first that
 *                   proves itself is taken
 *                   or ERROR: whoever waits for it gets this from connect()
 *              EINVAL both or neither, no endpoint, an endpoint that may not be;
 *              EACCES no program wants the peer, and it may use no service;
 *              ERANGE not an errno; E2BIG; EADDRNOTAVAIL own EID; ENOBUFS too many
 *              peers that are not configured
 */
#define SSS_GENL_NAME		"sss"
#define SSS_GENL_VERSION	1
#define SSS_GENL_MCGRP_MONITOR	"monitor"
#define SSS_GENL_MCGRP_RESOLVE	"resolve"
#define SSS_HOST_NAME_MAX	15
#define SSS_PEER_ENDPOINTS_MAX	8

enum sss_cmd {
	SSS_CMD_UNSPEC,
	SSS_CMD_HOST_NEW,	/* private key (or none: made here), name, port, ... */
	SSS_CMD_HOST_DEL,
	SSS_CMD_HOST_SET,
	SSS_CMD_HOST_GET,	/* do and dump */
	SSS_CMD_PEER_NEW,
	SSS_CMD_PEER_DEL,
	SSS_CMD_PEER_SET,
	SSS_CMD_PEER_GET,	/* dump, as all GETs below but STATS */
	SSS_CMD_CHANNEL_GET,	/* dump */
	SSS_CMD_SERVICE_GET,	/* dump */
	SSS_CMD_STREAM_GET,	/* dump */
	SSS_CMD_STATS_GET,	/* do */
	/* notifications to the group "monitor" */
	SSS_CMD_EVENT,
	SSS_CMD_CHANNEL_REKEY,	/* as PEER_NEW and those behind it these change something */
	SSS_CMD_CHANNEL_CLOSE,
	SSS_CMD_RESOLVE,	/* a question to the group "resolve", and its answer */
	SSS_CMD_ACCESS_NEW,	/* rules: who may use which service of a host */
	SSS_CMD_ACCESS_DEL,
	SSS_CMD_ACCESS_SET,
	SSS_CMD_ACCESS_GET,	/* dump */
	__SSS_CMD_MAX,
};

#define SSS_CMD_MAX (__SSS_CMD_MAX - 1)

enum sss_attr {
	SSS_A_UNSPEC,
	SSS_A_PAD,		/* unused: 64-bit numbers are not aligned */
	SSS_A_HOST_NAME,	/* string, 1 to SSS_HOST_NAME_MAX bytes: selects the host */
	SSS_A_HOST_EID,		/* binary 32 */
	SSS_A_HOST_PRIVATE_KEY,	/* binary 32 */
	SSS_A_HOST_PORT,	/* u16, host order; 0: chosen by the kernel */
	SSS_A_HOST_FLAGS,	/* u32, SSS_HOST_F_* */
	SSS_A_HOST_FLAGS_MASK,	/* u32: which of them count */
	SSS_A_HOST_UID,		/* u32 owner */
	SSS_A_HOST_GID,		/* u32 group */
	SSS_A_HOST_MODE,	/* u32: read = connect as it, write = listen on it; 0666 */
	SSS_A_PEER_EID,		/* binary 32 */
	SSS_A_PEER_PSK,		/* binary 32; all zero: none */
	SSS_A_PEER_FLAGS,	/* u32, SSS_PEER_F_* */
	SSS_A_ENDPOINTS,	/* nest of SSS_A_ENDPOINT */
	SSS_A_ENDPOINT,		/* binary: struct sockaddr_in or sockaddr_in6 */
	SSS_A_SERVICE,		/* string */
	SSS_A_PROTOCOL,		/* string */
	SSS_A_SERVICE_DESC,	/* string */
	SSS_A_PROTOCOL_DESC,	/* string */
	SSS_A_BACKLOG,		/* u32 */
	SSS_A_QUEUED,		/* u32: waiting for accept() */
	SSS_A_UID,		/* u32: user that owns the socket */
	SSS_A_INFO,		/* binary: struct sss_info */
	SSS_A_CHANNEL_ID,	/* u32: as in the log lines "Channel N created" */
	SSS_A_LAST_HANDSHAKE,	/* u64: ms since the last confirmed handshake */
	SSS_A_KEY_AGE,		/* u64: ms since the sending key was made */
	SSS_A_STREAM_ID,	/* u64 */
	SSS_A_PARENT_ID,	/* u64, absent at the root */
	SSS_A_STATS,		/* nest of SSS_A_STAT */
	SSS_A_STAT,		/* nest of _NAME and _VALUE */
	SSS_A_STAT_NAME,	/* string */
	SSS_A_STAT_VALUE,	/* u64 */
	SSS_A_EVENT,		/* u32, enum sss_event */
	SSS_A_HOST_WANT_KEY,	/* flag: HOST_GET is to return the private key */
	SSS_A_HOST_ID,		/* u32: as in the log lines "Host N created" */
	SSS_A_PEER_ID,		/* u32: as in the log lines "Peer N created" */
	SSS_A_KIND,		/* u32: SOCK_STREAM, SOCK_DGRAM */
	SSS_A_HOST_PADDING,	/* u32, enum sss_padding */
	SSS_A_ERROR,		/* u32, an errno: why a peer is not found */
	SSS_A_RELAYS,		/* nest of SSS_A_RELAY */
	SSS_A_RELAY,		/* binary: struct sss_relay */
	SSS_A_HOST_ACCESS,	/* u32, enum sss_access */
	SSS_A_MAX_STREAMS,	/* u32: that one EID may have open; 0: no limit */
	SSS_A_STREAM_RATE,	/* u32: that one EID may open in a second; 0: no limit */
	SSS_A_ACCESS_DENY,	/* flag: not admitted */

	__SSS_A_MAX,
};

#define SSS_A_MAX (__SSS_A_MAX - 1)

/**
 * struct sss_relay - a peer may be reached through a relay: protocol.rst, "Relay"
 * @address: of the relay: struct sockaddr_in or sockaddr_in6, zero behind it
 * @reserved: 0
 * @session: what the relay tells us by from others, not 0; it is as good as a key to
 *	the relay, so a dump says 0 unless who asks has CAP_NET_ADMIN
 */
struct sss_relay {
	__u8	address[28];
	__u32	reserved;
	__be64	session;
};

#define SSS_HOST_F_DEFAULT		0x1	/* zero EID in connect() means this one */
#define SSS_HOST_F_STEALTH		0x2	/* no answer to wrong keys, and who is not let in */
#define SSS_HOST_F_HIDE_SERVICES	0x4	/* keep service names out of the handshake */

/*
 * What a host does so that the sizes of its packets tell less: protocol.rst,
 * "Padding"
 */
enum sss_padding {
	SSS_PADDING_NONE = 0,
	SSS_PADDING_BUCKETS = 1,	/* up to the next of a few sizes */
	SSS_PADDING_FULL = 2,		/* up to the largest size in use */
};

#define SSS_PEER_F_CONFIGURED		0x1	/* made by PEER_NEW, not by its own INITIATE */

/*
 * Who may use the services of a host. Who may not gets EACCES, whether or not the
 * service is there, and no program of the host hears of it. Who may use none does
 * not even get a channel, and from a host with F_STEALTH no answer; except, under
 * load, the request to prove its address, which is for everybody.
 */
enum sss_access {
	SSS_ACCESS_ANYONE = 0,	/* any EID */
	SSS_ACCESS_PEERS = 1,	/* those made by PEER_NEW */
	SSS_ACCESS_RULES = 2,	/* those that a rule (ACCESS_NEW) lets in */
};

enum sss_event {
	SSS_EVENT_HOST_NEW = 1,
	SSS_EVENT_HOST_DEL = 2,
	SSS_EVENT_PEER_NEW = 3,
	SSS_EVENT_PEER_DEL = 4,
	SSS_EVENT_CHANNEL_NEW = 5,
	SSS_EVENT_CHANNEL_DEL = 6,
	SSS_EVENT_LINK_UP = 7,
	SSS_EVENT_LINK_STALLED = 8,
	SSS_EVENT_LINK_DOWN = 9,
};

#endif /* _UAPI_LINUX_SSS_H */
