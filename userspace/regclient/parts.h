/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Parts that several records have: profile.c */
#ifndef REGCLIENT_PARTS_H
#define REGCLIENT_PARTS_H

#include "cbor.h"

void reg_get_endpoint(struct reg_in *in, struct reg_endpoint *ep);
unsigned int reg_get_endpoints(struct reg_in *in, struct reg_endpoint *eps);
void reg_get_eid(struct reg_in *in, struct sss_eid *eid);
void reg_get_profile(struct reg_in *in, struct reg_profile *profile);

void reg_put_endpoint(struct reg_out *out, const struct reg_endpoint *ep);
void reg_put_endpoints(struct reg_out *out, const struct reg_endpoint *eps, unsigned int n);
void reg_put_eid(struct reg_out *out, const struct sss_eid *eid);
void reg_put_profile(struct reg_out *out, const struct reg_profile *profile);

#endif /* REGCLIENT_PARTS_H */
