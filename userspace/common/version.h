/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef COMMON_VERSION_H
#define COMMON_VERSION_H

/* What all programs of this tree answer to --version; sss-qlog has it from here as well */
#define VERSION "1.0"

#endif /* COMMON_VERSION_H */
