/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fake-daemon.h: a daemon behind the hook socket of a scratch root, which misbehaves as requested */
#pragma once

#include <glib.h>

typedef enum {
    FAKE_ANSWER,  /* read the request, answer, hang up */
    FAKE_DRIBBLE, /* the same, the answer byte by byte */
    FAKE_EARLY,   /* answer before anything is read, hang up */
    FAKE_HUNG,    /* accept, never answer */
    FAKE_SLOW,    /* a queue of one, a long pause before the first accept, then short ones */
    FAKE_DEAF,    /* a socket file without a listener */
    FAKE_ABSENT,  /* no socket file */
} FakeMode;

typedef struct _FakeDaemon FakeDaemon;

/* @reply (borrowed, @len bytes) is what FAKE_ANSWER, _DRIBBLE, _EARLY and _SLOW answer; of no
 * bytes, they just hang up. Makes @root/run/virt-vgpu/claims. */
FakeDaemon *fake_daemon_start(const char *root, FakeMode mode, const char *reply, gsize len);

/* End it and wait for its end; then these can be asked. */
void fake_daemon_stop(FakeDaemon *self);
guint fake_daemon_contacts(const FakeDaemon *self);         /* how often it was connected to */
const GString *fake_daemon_request(const FakeDaemon *self); /* the last one, header and blobs */
gboolean fake_daemon_half_closed(const FakeDaemon *self);   /* its sender had closed one way */

void fake_daemon_free(FakeDaemon *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FakeDaemon, fake_daemon_free)
