/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ssh-uri.h: how to run a program on the host that a URI of libvirt's names
 *
 * Pure: the words of an ssh(1) call, nothing is run. libvirt's parameters keep their meaning as far as ssh has
 * it (libvirt: docs/uri.rst, src/rpc/virnetsocket.c). */
#pragma once

#include <glib.h>

/* The call that runs @command, which the shell of the other host reads, on the host of @uri
 * ("qemu+ssh://root@host2/system"), ended by NULL. VGPU_ERROR_NOT_SUPPORTED if libvirt reaches that host in
 * another way than through ssh, so that no program can be run there; VGPU_ERROR_ARGUMENT if it is not the URI
 * of another host's qemu:///system, or has a part that would not do the same as in libvirt. */
char **vgpu_ssh_uri_words(const char *uri, const char *command, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
