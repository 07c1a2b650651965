/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef COMMON_CONF_PARTS_H
#define COMMON_CONF_PARTS_H

#include "conf.h"

/* One file, without a look at how it fits the others */
int conf_read_file(struct conf *conf, const char *path, struct ini_error *error);

/* An empty [Host] more at the end; -1: no memory */
int conf_add_host(struct conf *conf, const struct ini_place *at);

#endif /* COMMON_CONF_PARTS_H */
