/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vf-host.h: a host with GPUs whose vGPUs are on VFs, and domains web1, web2, … that want vGPUs */
#pragma once

#include "manager-host.h"

#define L40S "0000:61:00.0"
#define VF0 "0000:61:00.4"
#define VF1 "0000:61:00.5"
#define VF2 "0000:61:00.6"
#define VF3 "0000:61:00.7"
#define S7150_VF0 "0000:c1:02.0"
#define S7150_VF1 "0000:c1:02.1"
#define S7150_VF2 "0000:c1:02.2"
#define S7150_VF3 "0000:c1:02.3"
#define A100 "0000:a1:00.0"

#define L40S_4Q "<vgpu:device profile='NVIDIA L40S-4Q'/>"
#define TYPE_4Q 1150

/* For cmocka; the state is a Host. */
int vf_host_setup(void **state);
int vf_host_teardown(void **state);

void assert_has(const char *text, const char *part);

/* A domain whose definition names these VFs, separated by blanks; NULL: none. */
char *xml_on(const char *name, const char *uuid, const char *devices, const char *vfs);
/* "VF VF …" that the definition has to name, "mdev" for a vGPU that is an mdev, or the refusal. */
char *bind_xml(Host *host, const char *xml);
/* @wanted: the whole list, or a part of the refusal. */
void assert_bound(Host *host, guint n, const char *devices, const char *present,
                  const char *wanted);

/* NULL, or why the start was refused. */
char *start_on(Host *host, guint n, const char *devices, const char *vfs);
void assert_starts(Host *host, guint n, const char *devices, const char *vfs);
void assert_refused(Host *host, guint n, const char *devices, const char *vfs, const char *why);
void stop(Host *host, guint n);

/* Check the types of the L40S's VFs. */
void assert_types(const Host *host, int type0, int type1, int type2, int type3);
/* Whether the manager has asked to rewrite the definition since the last call. */
bool asked_to_rewrite(Host *host, guint n);
