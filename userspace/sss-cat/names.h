/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Names instead of EIDs. A name means the EID that is pinned for it and no other:
 * in the settings ([Peer] with a Name), or in the user's known_names, to which
 * --accept-new adds what the directory has, if that is unmistakable.
 */
#ifndef SSS_CAT_NAMES_H
#define SSS_CAT_NAMES_H

#include "sss-cat.h"

/**
 * names_find() - whose name is it?
 * @opt: options: name, settings, accept_new, local
 * @eid: result
 *
 * Return: an exit code; if not EXIT_OK it was said why.
 */
int names_find(const struct options *opt, struct sss_eid *eid);

/**
 * names_suspect() - the peer does not answer: is it another one now?
 * @opt: options
 * @eid: what names_find() found
 *
 * Return: EXIT_OK: nobody says so; EXIT_CHANGED: the directory has only others under
 * this name, which was said.
 */
int names_suspect(const struct options *opt, const struct sss_eid *eid);

#endif /* SSS_CAT_NAMES_H */
