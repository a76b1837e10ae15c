// SPDX-License-Identifier: Apache-2.0
// What the Postgres target sees of C: libpq's public header, and epoll, which Swift's Glibc module leaves out.

#ifndef DIALTONE_CLIBPQ_SHIM_H
#define DIALTONE_CLIBPQ_SHIM_H

#include <libpq-fe.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#endif
