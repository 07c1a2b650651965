// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Sections and their settings; conf_check.c has what must hold between them */
#include <ctype.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <libsss/sss.h>
#include "array.h"
#include "conf.h"
#include "conf_parts.h"
#include "endpoint.h"
#include "number.h"

static int take_eid(const char *name, const char *value, struct sss_eid *eid,
		    struct ini_error *error)
{
	if (sss_eid_parse(eid, value))
		return ini_wrong(error, "%s: \"%s\" is no EID: 52 letters a-z and digits 2-7",
				 name, value);
	return 0;
}

static int take_host_name(const char *name, const char *value, char *to, struct ini_error *error)
{
	const char *c = value;

	if (!*value)
		return ini_wrong(error, "%s: the name of a host is missing", name);
	/* As the kernel has it, which takes a byte of 0xa0 for a blank */
	while (*c && *c != ' ' && *c != '/' && *c != '\xa0' && !iscntrl((unsigned char)*c))
		c++;
	if (*c)
		return ini_wrong(error, "%s: no control characters, blanks or slashes in the name of a host",
				 name);
	return ini_text(name, value, to, SSS_HOST_NAME_MAX + 1, error);
}

/* An absolute path: who reads it is started anywhere */
static int take_path(const char *name, const char *value, char *to, struct ini_error *error)
{
	if (*value != '/')
		return ini_wrong(error, "%s: a path from the root on, not \"%s\"", name, value);
	return ini_text(name, value, to, PATH_MAX, error);
}

/* [Host] */

static int host_flag(struct conf_host *host, uint32_t flag, const char *name, const char *value,
		     struct ini_error *error)
{
	bool on;

	if (ini_bool(name, value, &on, error))
		return -1;
	host->mask |= flag;
	host->flags = on ? host->flags | flag : host->flags & ~flag;
	return 0;
}

static int take_id(const char *name, const char *value, const char *what, uint32_t *id,
		   struct ini_error *error)
{
	unsigned long number;

	if (ini_number(name, value, 0, UINT32_MAX - 1, &number, error))
		return ini_wrong(error, "%s: there is no %s \"%s\"", name, what, value);
	*id = number;
	return 0;
}

static int host_owner(struct conf_host *host, const char *name, const char *value,
		      struct ini_error *error)
{
	const struct passwd *pw = getpwnam(value);

	if (!pw)
		return take_id(name, value, "user", &host->uid, error);
	host->uid = pw->pw_uid;
	return 0;
}

static int host_group(struct conf_host *host, const char *name, const char *value,
		      struct ini_error *error)
{
	const struct group *gr = getgrnam(value);

	if (!gr)
		return take_id(name, value, "group", &host->gid, error);
	host->gid = gr->gr_gid;
	return 0;
}

static int host_mode(struct conf_host *host, const char *name, const char *value,
		     struct ini_error *error)
{
	uint64_t v;

	if (!number_parse(value, 8, 0777, &v))
		return ini_wrong(error, "%s: an octal number up to 777, not \"%s\"", name, value);
	host->mode = v;
	return 0;
}

/* One of three words */
static int take_word(const char *name, const char *value, const char *const words[3],
		     uint32_t *which, struct ini_error *error)
{
	uint32_t i;

	for (i = 0; i < 3; i++) {
		if (strcasecmp(value, words[i]))
			continue;
		*which = i;
		return 0;
	}
	return ini_wrong(error, "%s: %s, %s or %s, not \"%s\"", name, words[0], words[1],
			 words[2], value);
}

static int host_padding(struct conf_host *host, const char *name, const char *value,
			struct ini_error *error)
{
	static const char *const words[] = {
		[SSS_PADDING_NONE] = "none", [SSS_PADDING_BUCKETS] = "buckets",
		[SSS_PADDING_FULL] = "full",
	};

	return take_word(name, value, words, &host->padding, error);
}

static int host_access(struct conf_host *host, const char *name, const char *value,
		       struct ini_error *error)
{
	static const char *const words[] = {
		[SSS_ACCESS_ANYONE] = "anyone", [SSS_ACCESS_PEERS] = "peers",
		[SSS_ACCESS_RULES] = "rules",
	};

	return take_word(name, value, words, &host->access, error);
}

static int host_limit(const char *name, const char *value, uint32_t *limit,
		      struct ini_error *error)
{
	unsigned long number;

	if (ini_number(name, value, 0, UINT32_MAX, &number, error))
		return -1;
	*limit = number;
	return 0;
}

static int host_streams(struct conf_host *host, const char *name, const char *value,
			struct ini_error *error)
{
	return host_limit(name, value, &host->max_streams, error);
}

static int host_rate(struct conf_host *host, const char *name, const char *value,
		     struct ini_error *error)
{
	return host_limit(name, value, &host->rate, error);
}

static int host_port(struct conf_host *host, const char *name, const char *value,
		     struct ini_error *error)
{
	unsigned long port;

	if (ini_number(name, value, 0, 65535, &port, error))
		return -1;
	host->port = port;
	return 0;
}

static const struct {
	const char *name;
	uint32_t flag;		/* or */
	unsigned int has;
	int (*take)(struct conf_host *host, const char *name, const char *value,
		    struct ini_error *error);
} host_settings[] = {
	{ "Default", SSS_HOST_F_DEFAULT, 0, NULL },
	{ "Stealth", SSS_HOST_F_STEALTH, 0, NULL },
	{ "HideServices", SSS_HOST_F_HIDE_SERVICES, 0, NULL },
	{ "Port", 0, CONF_H_PORT, host_port },
	{ "Owner", 0, CONF_H_UID, host_owner },
	{ "Group", 0, CONF_H_GID, host_group },
	{ "Mode", 0, CONF_H_MODE, host_mode },
	{ "Padding", 0, CONF_H_PADDING, host_padding },
	{ "Access", 0, CONF_H_ACCESS, host_access },
	{ "MaxStreams", 0, CONF_H_STREAMS, host_streams },
	{ "Rate", 0, CONF_H_RATE, host_rate },
};

static int host_setting(struct conf *conf, const char *name, const char *value,
			const struct ini_place *at, struct ini_error *error)
{
	struct conf_host *host = &conf->hosts[conf->n_hosts - 1];
	size_t i;

	(void)at;
	for (i = 0; i < sizeof(host_settings) / sizeof(host_settings[0]); i++) {
		if (strcasecmp(name, host_settings[i].name))
			continue;
		host->has |= host_settings[i].has;
		return host_settings[i].take ? host_settings[i].take(host, name, value, error) :
			host_flag(host, host_settings[i].flag, name, value, error);
	}
	if (!strcasecmp(name, "Name"))
		return take_host_name(name, value, host->name, error);
	if (!strcasecmp(name, "PrivateKeyFile"))
		return take_path(name, value, host->key_file, error);
	return ini_wrong(error, "[Host] has no setting \"%s\"", name);
}

static int host_end(struct conf *conf, struct ini_error *error)
{
	const struct conf_host *host = &conf->hosts[conf->n_hosts - 1];

	if (!*host->name)
		return ini_wrong(error, "this [Host] has no Name");
	if (!*host->key_file)
		return ini_wrong(error, "this [Host] has no PrivateKeyFile: make one with \"sss-netlink key generate FILE\"");
	return 0;
}

/* [Peer], [RegistrationServer] */

static int take_endpoint(struct conf_peer *peer, const char *value, const struct ini_place *at,
			 struct ini_error *error)
{
	struct conf_endpoint *ep = &peer->endpoints[peer->n_endpoints];
	unsigned int port;

	if (peer->n_endpoints == SSS_PEER_ENDPOINTS_MAX)
		return ini_wrong(error, "Endpoint: not more than %d of them",
				 SSS_PEER_ENDPOINTS_MAX);
	if (!endpoint_split(value, ep->node, sizeof(ep->node), &port) || !port)
		return ini_wrong(error, "Endpoint: \"%s\" is not ADDRESS:PORT; an IPv6 address stands in brackets",
				 value);
	ep->port = port;
	ep->at = *at;
	peer->n_endpoints++;
	return 0;
}

/* What can be told from an EID, from an option and on a line of its own */
static int take_peer_name(const char *value, char *name, struct ini_error *error)
{
	struct sss_eid eid;

	if (!*value || *value == '-' || !sss_eid_parse(&eid, value) ||
	    !reg_text_valid(value, strlen(value)))
		return ini_wrong(error, "Name: \"%s\" cannot be the name of a peer", value);
	return ini_text("Name", value, name, CONF_NAME_MAX + 1, error);
}

static int peer_setting(struct conf *conf, const char *name, const char *value,
			const struct ini_place *at, struct ini_error *error)
{
	struct conf_peer *peer = &conf->peers[conf->n_peers - 1];

	if (!strcasecmp(name, "EID"))
		return take_eid(name, value, &peer->eid, error);
	if (!strcasecmp(name, "Host"))
		return take_host_name(name, value, peer->host, error);
	if (!strcasecmp(name, "Endpoint"))
		return take_endpoint(peer, value, at, error);
	if (!strcasecmp(name, "PresharedKeyFile"))
		return take_path(name, value, peer->psk_file, error);
	if (!strcasecmp(name, "Name") && !peer->server)
		return take_peer_name(value, peer->name, error);
	return ini_wrong(error, "[%s] has no setting \"%s\"",
			 peer->server ? "RegistrationServer" : "Peer", name);
}

static int peer_end(struct conf *conf, struct ini_error *error)
{
	const struct conf_peer *peer = &conf->peers[conf->n_peers - 1];
	static const struct sss_eid none;

	if (!memcmp(&peer->eid, &none, sizeof(none)))
		return ini_wrong(error, "this [%s] has no EID",
				 peer->server ? "RegistrationServer" : "Peer");
	if (peer->server && !peer->n_endpoints)
		return ini_wrong(error, "this [RegistrationServer] has no Endpoint");
	return 0;
}

/* [Profile] */

static const char *const fields[] = {
	[REG_F_HOST] = "HostName", [REG_F_OWNER] = "Owner", [REG_F_CITY] = "City",
	[REG_F_REGION] = "Region", [REG_F_COUNTRY] = "Country", [REG_F_KEYWORDS] = "Keywords",
	[REG_F_ENDPOINTS] = "Endpoints", [REG_F_OBSERVED] = "Observed",
};

#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

static int profile_text(const char *name, const char *value, char *to, size_t size,
			struct ini_error *error)
{
	if (!reg_text_valid(value, strlen(value)))
		return ini_wrong(error, "%s: no UTF-8, or control characters", name);
	return ini_text(name, value, to, size, error);
}

/* The next of words between commas, or NULL */
static char *next_word(char **rest)
{
	char *word, *end;

	do {
		word = strsep(rest, ",");
		if (!word)
			return NULL;
		word += strspn(word, " \t");
		end = word + strlen(word);
		while (end > word && strchr(" \t", end[-1]))
			*--end = '\0';
	} while (!*word);
	return word;
}

static int profile_keywords(struct reg_profile *profile, char *rest, struct ini_error *error)
{
	const char *word;

	while ((word = next_word(&rest))) {
		if (profile->n_keywords == REG_KEYWORDS)
			return ini_wrong(error, "Keywords: not more than %d of them",
					 REG_KEYWORDS);
		if (profile_text("Keywords", word, profile->keywords[profile->n_keywords],
				 REG_KEYWORD_MAX + 1, error))
			return -1;
		profile->n_keywords++;
	}
	return 0;
}

static int profile_public(struct reg_profile *profile, char *rest, struct ini_error *error)
{
	const char *word;
	size_t i;

	profile->public = 0;
	while ((word = next_word(&rest))) {
		for (i = 0; i < N_FIELDS && strcasecmp(word, fields[i]); i++)
			;
		if (i < N_FIELDS)
			profile->public |= 1U << i;
		else if (!strcasecmp(word, "all"))
			profile->public = REG_PUBLIC_ALL;
		else if (strcasecmp(word, "none"))
			return ini_wrong(error, "Public: \"%s\" is none of HostName, Owner, City, Region, Country, Keywords, Endpoints, Observed, all, none",
					 word);
	}
	return 0;
}

static int profile_introduce(struct reg_profile *profile, char *rest, struct ini_error *error)
{
	const char *word;

	profile->restricted = true;
	while ((word = next_word(&rest))) {
		if (profile->n_allowed == REG_ALLOWED)
			return ini_wrong(error, "Introduce: not more than %d EIDs", REG_ALLOWED);
		if (!strcasecmp(word, "none"))
			continue;
		if (take_eid("Introduce", word, &profile->allowed[profile->n_allowed], error))
			return -1;
		profile->n_allowed++;
	}
	return 0;
}

static int profile_setting(struct conf *conf, const char *name, const char *value,
			   const struct ini_place *at, struct ini_error *error)
{
	struct conf_profile *of = &conf->profiles[conf->n_profiles - 1];
	struct reg_profile *profile = &of->profile;
	char text[1024];
	unsigned int i;

	(void)at;
	if (!strcasecmp(name, "Host"))
		return take_host_name(name, value, of->host, error);
	for (i = 0; i < REG_TEXTS; i++)
		if (!strcasecmp(name, fields[i]))
			return profile_text(name, value, profile->text[i], REG_TEXT_MAX + 1, error);
	if (ini_text(name, value, text, sizeof(text), error))
		return -1;
	if (!strcasecmp(name, "Keywords"))
		return profile_keywords(profile, text, error);
	if (!strcasecmp(name, "Public"))
		return profile_public(profile, text, error);
	if (!strcasecmp(name, "Introduce"))
		return profile_introduce(profile, text, error);
	return ini_wrong(error, "[Profile] has no setting \"%s\"", name);
}

/* [Agent] */

static int agent_setting(struct conf *conf, const char *name, const char *value,
			 const struct ini_place *at, struct ini_error *error)
{
	struct conf_agent *agent = &conf->agent;
	unsigned long number;

	(void)at;
	if (!strcasecmp(name, "Register"))
		return ini_bool(name, value, &agent->do_register, error);
	if (!strcasecmp(name, "TellEndpoints"))
		return ini_bool(name, value, &agent->tell_endpoints, error);
	if (!strcasecmp(name, "LocalDiscovery"))
		return ini_bool(name, value, &agent->local, error);
	if (!strcasecmp(name, "StateDirectory"))
		return take_path(name, value, agent->state, error);
	if (!strcasecmp(name, "LocalPort")) {
		if (ini_number(name, value, 1, 65535, &number, error))
			return -1;
		agent->local_port = number;
		return 0;
	}
	if (strcasecmp(name, "TimeToLive"))
		return ini_wrong(error, "[Agent] has no setting \"%s\"", name);
	if (ini_number(name, value, 1, 7 * 86400, &number, error))
		return -1;
	agent->ttl = number;
	return 0;
}

/* Files */

int conf_add_host(struct conf *conf, const struct ini_place *at)
{
	struct conf_host *host = array_add(&conf->hosts, &conf->n_hosts, sizeof(*host));

	if (!host)
		return -1;
	host->at = *at;
	return 0;
}

static int begin_peer(struct conf *conf, const struct ini_place *at)
{
	struct conf_peer *peer = array_add(&conf->peers, &conf->n_peers, sizeof(*peer));

	if (!peer)
		return -1;
	peer->at = *at;
	peer->server = conf->section == CONF_SERVER;
	return 0;
}

static int begin_profile(struct conf *conf, const struct ini_place *at)
{
	struct conf_profile *profile = array_add(&conf->profiles, &conf->n_profiles, sizeof(*profile));

	if (!profile)
		return -1;
	profile->at = *at;
	return 0;
}

static int begin_agent(struct conf *conf, const struct ini_place *at)
{
	conf->agent.at = *at;
	return 0;
}

static const struct {
	const char *name;
	int (*begin)(struct conf *conf, const struct ini_place *at);
	int (*setting)(struct conf *conf, const char *name, const char *value,
		       const struct ini_place *at, struct ini_error *error);
	int (*end)(struct conf *conf, struct ini_error *error);
} sections[] = {
	[CONF_HOST] = { "Host", conf_add_host, host_setting, host_end },
	[CONF_PEER] = { "Peer", begin_peer, peer_setting, peer_end },
	[CONF_SERVER] = { "RegistrationServer", begin_peer, peer_setting, peer_end },
	[CONF_PROFILE] = { "Profile", begin_profile, profile_setting, NULL },
	[CONF_AGENT] = { "Agent", begin_agent, agent_setting, NULL },
};

static int begin(void *data, const char *name, const struct ini_place *at,
		 struct ini_error *error)
{
	struct conf *conf = data;
	size_t i;

	for (i = CONF_HOST; i < sizeof(sections) / sizeof(sections[0]); i++) {
		if (strcasecmp(name, sections[i].name))
			continue;
		conf->section = i;
		return sections[i].begin(conf, at) ? ini_wrong(error, "out of memory") : 0;
	}
	return ini_wrong(error, "there is no section [%s]: Host, Peer, RegistrationServer, Profile, Agent",
			 name);
}

static int setting(void *data, const char *name, const char *value, const struct ini_place *at,
		   struct ini_error *error)
{
	struct conf *conf = data;

	return sections[conf->section].setting(conf, name, value, at, error);
}

static int end(void *data, struct ini_error *error)
{
	struct conf *conf = data;

	return sections[conf->section].end ? sections[conf->section].end(conf, error) : 0;
}

int conf_read_file(struct conf *conf, const char *path, struct ini_error *error)
{
	static const struct ini_reader reader = {
		.section = begin, .setting = setting, .section_end = end,
	};
	char **file = array_add(&conf->files, &conf->n_files, sizeof(*file));

	if (file)
		*file = strdup(path);	/* places refer to it */
	if (!file || !*file)
		return ini_wrong(error, "%s: out of memory", path);
	return ini_read(*file, &reader, conf, error);
}
