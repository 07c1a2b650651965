/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef COMMON_NOTIFY_H
#define COMMON_NOTIFY_H

/**
 * notify() - tell the service manager, as sd_notify(3) describes it
 * @state: "READY=1" and the like; without $NOTIFY_SOCKET nothing happens
 */
void notify(const char *state);

/* READY=1 for a reload that began now has to say when that was */
void notify_reloading(void);

#endif /* COMMON_NOTIFY_H */
