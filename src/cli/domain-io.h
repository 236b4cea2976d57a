/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* domain-io.h: what the verbs about domains have in common */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "bus/manager1.h"
#include "cli/command.h"
#include "domain/lint.h"
#include "libvirt/connection.h"
#include "libvirt/domains.h"

/* libvirt, with the user's own rights or, @read_only, with those that everybody has; refused when an alias in its
 * configuration has led to another host. */
virConnectPtr vgpu_domain_io_connect(const VgpuCli *cli, bool read_only, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The domain that was typed as name, UUID or, when it runs, id; on a read-only connection, which every
 * user may have. */
VgpuDomainState *vgpu_domain_io_find(const VgpuCli *cli, const char *typed, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Exactly one of @domain and @path is given; else a usage error. */
bool vgpu_domain_io_check_source(const char *domain, const char *path, GError **error);

/* What was changed in a definition, a line each; as JSON an object with that list, which is null
 * when @changes is NULL: not known here. */
void vgpu_domain_io_print_changes(const VgpuCli *cli, const char *domain,
                                  const char *const *changes);

/* Say on standard error what of the displays of @domain, which @what calls, may not work; with
 * @absent also which ones there are not. */
void vgpu_domain_io_print_displays(const char *what, const VgpuDomain *domain, bool absent);

/* Say on standard error what of @lints (of VgpuLint) about @what is at least that severe. */
void vgpu_domain_io_print_lints(const char *what, const GPtrArray *lints, VgpuLintSeverity least);

/* What @manager (borrowed; NULL: no daemon) tells the lint of this host. */
VgpuLintHost vgpu_domain_io_lint_host(VgpuBusManager1 *manager);

/* Warn of what in @domain, which @what calls, does not go together with its vGPUs, or with this host as far as
 * @manager (NULL: no daemon) knows it. */
void vgpu_domain_io_print_warnings(const char *what, const VgpuDomain *domain,
                                   VgpuBusManager1 *manager);

/* Warn of what the new annotation of @domain asks for and this host does not have, and of @lints about @what,
 * see above. */
void vgpu_domain_io_warn(VgpuBusManager1 *manager, const VgpuDomain *domain,
                         const GPtrArray *lints, const char *what);
