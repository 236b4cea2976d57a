/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pool.h: one <vgpupool>: a set of GPUs, and the rules for their use
 *
 * The grammar is xml-schemas/virt-vgpu-pool.rng, the meaning docs/virt-vgpu-pool(5). Pure: XML in, data
 * and decisions out. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "domain/domain.h"
#include "domain/params-policy.h"
#include "gpu/inventory.h"

/* <gpu address=…/> or <match …/>: members that are NULL or unset match everything. */
typedef struct {
    char *address; /* canonical; set: exactly this GPU, and the rest is unset */
    char *vendor;  /* "0x10de" */
    char *product;
    char *subsystem_vendor;
    char *subsystem_product;
    char *driver;
    VgpuInterface interface; /* NONE: any */
    int numa_node;           /* -1: any */
} VgpuPoolSource;

typedef struct {
    char *name; /* as written; see vgpu_profile_matches() */
    bool is_default;
} VgpuPoolProfile;

#define VGPU_POOL_NO_LIMIT G_MAXUINT

typedef struct {
    char *name;
    guint max;     /* vGPUs that exist at a time, or VGPU_POOL_NO_LIMIT */
    guint max_mib; /* frame buffer of all of them, or VGPU_POOL_NO_LIMIT */
} VgpuPoolTenant;

typedef struct {
    char *name; /* glob on the domain's name: '*' and '?' */
    guint devices;
} VgpuPoolDomain;

typedef struct {
    char *name;
    char *uuid; /* canonical; made from the name when the file has none */
    char *description;
    GPtrArray *sources;  /* of VgpuPoolSource; a GPU that any of them matches belongs to it */
    GPtrArray *profiles; /* of VgpuPoolProfile; none: all that its GPUs have */
    GPtrArray *tenants;  /* of VgpuPoolTenant; some: others, and none, are refused */
    GPtrArray *domains;  /* of VgpuPoolDomain */
    VgpuDefaults defaults;
    VgpuParamsPolicy params;
    char *driver_version; /* that its GPUs' driver must have; NULL: any */
    char *iso;            /* absolute path of the guest driver's image; NULL: none */
    /* of char *: files and directories that it is built from; may be empty */
    GPtrArray *iso_paths;
    GPtrArray *iso_gridd; /* of char *: KEY=VALUE lines of gridd.conf */
    char *iso_token;      /* path of the client token; NULL: none */
    char *xml;            /* the document as it was read */
    gatomicrefcount refs;
} VgpuPool;

/* Read one. @what names the source in errors. VGPU_ERROR_BAD_REQUEST with line and reason: also for the
 * name of the default pool, a second default profile, a duplicate source, or no source at all. */
VgpuPool *vgpu_pool_parse(const char *xml, gsize len, const char *what, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Take another reference, also on other threads; it never changes. The last unref frees it. */
VgpuPool *vgpu_pool_ref(VgpuPool *self);
void vgpu_pool_free(VgpuPool *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuPool, vgpu_pool_free)

/* The pool that is meant by a name; NULL: the default one. */
const char *vgpu_pool_meant(const char *name);

/* Whether the source names the GPU itself (2), matches it by a rule (1), or not (0). */
guint vgpu_pool_claims(const VgpuPool *self, const VgpuGpu *gpu);

/* Borrowed, NULL when it has none: the one marked as default, else the only one. */
const char *vgpu_pool_default_profile(const VgpuPool *self);
/* Whether vGPUs of that profile may be made in it. */
bool vgpu_pool_allows(const VgpuPool *self, const VgpuProfile *profile);

/* How many devices a domain of that name gets without an annotation; 0: none. */
guint vgpu_pool_devices_for(const VgpuPool *self, const char *domain_name);

/* Why @tenant (NULL: none) cannot have one more, of @profile, when it has @used vGPUs with @used_mib of
 * frame buffer; NULL: it can. */
char *vgpu_pool_refuses_tenant(const VgpuPool *self, const char *tenant, guint used,
                               guint used_mib, const VgpuProfile *profile);

/* Whether the driver's version is the one that the pool needs: "550" and "550.90" match "550.90.05". An
 * unknown version (NULL) matches no requirement. */
bool vgpu_pool_accepts_driver(const VgpuPool *self, const char *version);

/* The document with capacity, allocated and available per profile in it, for pool-dumpxml; one that
 * is VGPU_COUNT_UNKNOWN is left out. */
typedef struct {
    const char *name;
    guint capacity, allocated, available;
} VgpuPoolUse;
char *vgpu_pool_format(const VgpuPool *self, const VgpuPoolUse *uses, guint n);

/* A copy of the pool for users who may only query: without the contents of <driverISO>, which has paths
 * and licence servers, and without the comments of its document; a comment says so. It cannot be defined
 * again, as its <driverISO> lacks the path. */
VgpuPool *vgpu_pool_in_part(const VgpuPool *self);
