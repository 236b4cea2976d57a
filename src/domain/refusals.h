/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* refusals.h: the errors when a start, a definition or an attach is refused
 *
 * Each condition has one wording, here. They are formats of printf(), most of them for vgpu_error_at(),
 * which adds domain and line (base/error.h). Reasons of single GPUs are in placement/placement-judge.c. */
#pragma once

/* --- the domain --------------------------------------------------------------------------- */

#define VGPU_REFUSAL_NO_UUID "the domain has no <uuid>"

/* UUID */
#define VGPU_REFUSAL_NO_USERS_HOSTDEV                                                            \
    "<vgpu:device> names uuid='%s', but the domain has no <hostdev type='mdev'> with it"

/* alias, "VF" or "vGPU", address or UUID */
#define VGPU_REFUSAL_NOT_ITS_OWN                                                                 \
    "its definition is being rewritten, start it again (hostdev '%s' with %s %s does not "       \
    "belong to its annotation)"

/* UUID, domain */
#define VGPU_REFUSAL_ANOTHERS "the vGPU %s belongs to domain '%s'"

/* UUID, the parameters that it has, those that are wanted */
#define VGPU_REFUSAL_FOREIGN_PARAMS                                                              \
    "virt-vgpu did not make the device %s and does not change its plugin parameters: it has "    \
    "'%s', "                                                                                     \
    "not '%s'; leave the parameters out, or set them where the device is made"

/* number of the vGPU */
#define VGPU_REFUSAL_NOT_LATE                                                                    \
    "its definition has no hostdev for vGPU %u yet and lateAttach is off; start it again in a "  \
    "moment"

/* how many vGPUs */
#define VGPU_REFUSAL_NOT_LATE_WITHOUT_SLOT                                                       \
    "its definition has no hostdev for %u vGPU(s) yet and no free hotplug slot to attach them "  \
    "late; start it again in a moment, or add a pcie-root-port"

/* how many are needed, how many there are */
#define VGPU_REFUSAL_NO_SLOT                                                                     \
    "no free hotplug slot: %u needed, %u free; add <controller type='pci' "                      \
    "model='pcie-root-port'/> to its definition and restart it (an attach with --config needs "  \
    "none)"

#define VGPU_REFUSAL_BEING_STARTED "the domain is being started; try again when it runs"
#define VGPU_REFUSAL_NEWER_START "a newer start of the domain has begun"
#define VGPU_REFUSAL_STOPPED "the domain has stopped meanwhile"
#define VGPU_REFUSAL_DESTROYED "it was destroyed before it was made"

/* pool, parameter with its quotes, allow= of the pool */
#define VGPU_REFUSAL_PARAM_NOT_ALLOWED                                                           \
    "pool '%s' does not allow the plugin parameter %s (its <params allow='%s'>); leave it "      \
    "out of the <vgpu:device>"
/* pool, parameter in the same form, the value that the pool gives it */
#define VGPU_REFUSAL_PARAM_IS_SET                                                                \
    "pool '%s' sets the plugin parameter %s to '%s'; leave it out of the <vgpu:device>"
/* pool, characters, characters at most */
#define VGPU_REFUSAL_PARAMS_TOO_LONG                                                             \
    "with the plugin parameters that pool '%s' sets there are %" G_GSIZE_FORMAT                  \
    " characters of them, at most %u are allowed"

/* --- no place ----------------------------------------------------------------------------- */

/* PCI address */
#define VGPU_REFUSAL_NO_GPU "there is no GPU %s on this host (see 'virt-vgpu gpu-list')"

/* profiles */
#define VGPU_REFUSAL_NO_PROFILE "no GPU has the profile '%s' (see 'virt-vgpu profile-list')"
#define VGPU_REFUSAL_NO_ROOM "no GPU has room for a vGPU '%s'"

/* pool, profiles */
#define VGPU_REFUSAL_NO_ROOM_IN_POOL "no GPU of pool '%s' has room for a vGPU '%s'"

/* The GPU or VF that is named: by gpu= in an annotation, or by hand */
#define VGPU_REFUSAL_NAMED "%s, which gpu= names,"
#define VGPU_REFUSAL_BY_HAND "%s"
/* after these: profiles, and why */
#define VGPU_REFUSAL_NOT_THERE "%s does not have the profile '%s'"
#define VGPU_REFUSAL_NO_ROOM_THERE "%s cannot take a vGPU '%s': %s"

/* profiles; the pools follow */
#define VGPU_REFUSAL_ONLY_IN_POOLS "every GPU with '%s' belongs to a pool (on the device, set %s)"

/* pool */
#define VGPU_REFUSAL_NO_POOL "there is no pool '%s'; see 'virt-vgpu pool-list'"

/* number of the vGPU, why */
#define VGPU_REFUSAL_MOVED                                                                       \
    "vGPU %u is not available where its definition says (%s); the definition is being moved to " \
    "another device, start it again in a moment"

/* domain */
#define VGPU_REFUSAL_HELD "it is held for domain '%s'"
#define VGPU_REFUSAL_HELD_BY_HAND "it is held for a vGPU that was made by hand"

/* domain */
#define VGPU_REFUSAL_SAVED "it is reserved for the saved domain '%s'"
/* domains, each with its quotes */
#define VGPU_REFUSAL_SAVED_THERE "room there is reserved for the saved domain %s"

/* VF or GPU, why */
#define VGPU_REFUSAL_HELD_IS_GONE                                                                \
    "the room that is held for it on %s is not available (%s); other room is being looked "      \
    "for, start it again in a moment"

/* its number */
#define VGPU_REFUSAL_HOST_VF "VF %u is kept for the host (host.xml)"

/* --- the fleet ---------------------------------------------------------------------------- */

/* host, UUID of the domain */
#define VGPU_REFUSAL_RESERVED_ELSEWHERE                                                          \
    "it is reserved for host '%s' of the fleet: start it there, or give the reservation up "     \
    "with 'virt-vgpu fleet release %s'"

/* running, saved or moving; host, twice */
#define VGPU_REFUSAL_ELSEWHERE                                                                   \
    "it is %s on host '%s' of the fleet; if that host is lost for good and certainly off, "      \
    "'virt-vgpu fleet forget %s' gives its domains up"

#define VGPU_REFUSAL_NOT_RESERVED                                                                \
    "it is not reserved for this host in the fleet: reserve it with 'virt-vgpu fleet place' "    \
    "or 'virt-vgpu fleet reserve'"
#define VGPU_REFUSAL_LAPSED                                                                      \
    "its reservation for this host has lapsed: renew it with 'virt-vgpu fleet reserve'"

/* why */
#define VGPU_REFUSAL_PARTED                                                                      \
    "it has no reservation, and it is not known whether another host of the fleet has it (%s; "  \
    "onPartition=refuse): see 'systemctl status virt-vgpu-fleet'"

/* --- too late ----------------------------------------------------------------------------- */

/* the reason for waiting, seconds */
#define VGPU_REFUSAL_LATE "%s after %u s; start it again later"

/* GPU, seconds */
#define VGPU_REFUSAL_NO_ANSWER                                                                   \
    "the driver of GPU %s has not answered for %u s; see the kernel's log"

/* for VGPU_REFUSAL_LATE */
#define VGPU_REFUSAL_NO_ANSWER_YET "the driver of its GPU has not answered yet"
#define VGPU_REFUSAL_STILL_REMOVED "its vGPU of the previous run is still being removed"
