/* domain-io.h: what the verbs about domains have in common */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "cli/command.h"
#include "domain/domain.h"
#include "libvirt/connection.h"
#include "libvirt/domains.h"

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
