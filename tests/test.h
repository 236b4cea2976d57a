/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test.h: first in each unit test, as cmocka.h has to come after these */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
