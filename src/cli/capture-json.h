/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* capture-json.h: the description of a host, as the JSON of virt-vgpu doctor --capture
 *
 * docs/hardware.md lists its keys. All texts in it are disguised. */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

#include "cli/disguise.h"

#define VGPU_CAPTURE_FORMAT "virt-vgpu capture 1"

typedef struct VgpuCaptureJson VgpuCaptureJson;

/* @disguise is borrowed. */
VgpuCaptureJson *vgpu_capture_json_new(VgpuDisguise *disguise);
void vgpu_capture_json_free(VgpuCaptureJson *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuCaptureJson, vgpu_capture_json_free)

void vgpu_capture_json_add_version(VgpuCaptureJson *self, const char *of, const char *version);
/* Files, links and unreadable paths, as the driver process answers; borrowed. */
void vgpu_capture_json_add_seen(VgpuCaptureJson *self, GVariant *seen);
void vgpu_capture_json_add_nodedev(VgpuCaptureJson *self, const char *xml);
/* The facts from the vendor's library, of VGPU_FACTS_TYPE; borrowed. */
void vgpu_capture_json_set_facts(VgpuCaptureJson *self, GVariant *facts);
/* Something is missing, and why. */
void vgpu_capture_json_add_gap(VgpuCaptureJson *self, const char *what, const char *why);

/* Of char *, as they are in the bundle. */
GPtrArray *vgpu_capture_json_gaps(const VgpuCaptureJson *self);

/* The differences from @before to @self, in files and links: an object with those that are new or have
 * changed, and null for those that are gone. */
JsonNode *vgpu_capture_json_changes(const VgpuCaptureJson *self, const VgpuCaptureJson *before);
bool vgpu_capture_json_has(const VgpuCaptureJson *self, const char *key);
/* A member of the whole; takes @node. UUIDs in it are disguised. */
void vgpu_capture_json_set(VgpuCaptureJson *self, const char *key, JsonNode *node);

/* The whole, with a newline at its end. */
char *vgpu_capture_json_text(const VgpuCaptureJson *self);
