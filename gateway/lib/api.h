/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * api: the varlink interface io.meshgw.Gateway, defined once for daemon and clients.
 *
 * Three sockets carry the same interface. The status socket may be opened by everyone and answers
 * only what reads; the control socket belongs to root and group meshgw and answers everything but
 * what is the HTTP bridge's; that of the bridge's user answers BridgeAttach, BridgeReport,
 * DiagnoseTarget and GetStatus.
 * A configuration travels as text, never as a path: the daemon opens no file for a caller.
 *
 * The interface grows by nullable fields and new methods; no meaning ever changes. Its printed
 * form is held by a golden test.
 */
#include <systemd/sd-varlink-idl.h>

#define API_INTERFACE "io.meshgw.Gateway"
#define API_STATUS_SOCKET "/run/meshgw/status"
#define API_CONTROL_SOCKET "/run/meshgw/control"
#define API_BRIDGE_SOCKET "/run/meshgw/bridge"
#define API_TUNNEL_SOCKET "/run/meshgw/tunnel"

#define API_ERROR_CONFIG_INVALID API_INTERFACE ".ConfigInvalid"
#define API_ERROR_CONFIRM_PENDING API_INTERFACE ".ConfirmPending"
#define API_ERROR_NOTHING_PENDING API_INTERFACE ".NothingPending"
#define API_ERROR_NOTHING_TO_UNDO API_INTERFACE ".NothingToUndo"
#define API_ERROR_NOT_CONFIGURED API_INTERFACE ".NotConfigured"
#define API_ERROR_APPLY_FAILED API_INTERFACE ".ApplyFailed"
#define API_ERROR_DOWN_INCOMPLETE API_INTERFACE ".DownIncomplete"
#define API_ERROR_TARGET_INVALID API_INTERFACE ".TargetInvalid"
#define API_ERROR_NOT_FIXABLE API_INTERFACE ".NotFixable"
#define API_ERROR_BUSY API_INTERFACE ".Busy"
#define API_ERROR_NOTHING_TO_RECALL API_INTERFACE ".NothingToRecall"
#define API_ERROR_NOT_WATCHING API_INTERFACE ".NotWatching"
#define API_ERROR_TARGET_NOT_ALLOWED API_INTERFACE ".TargetNotAllowed"
#define API_ERROR_NOT_EDGE API_INTERFACE ".NotEdge"
#define API_ERROR_NOT_PROMOTED API_INTERFACE ".NotPromoted"
#define API_ERROR_NO_VERDICT API_INTERFACE ".NoVerdict"

/* Longest confirmation window that Apply takes, seconds. */
constexpr unsigned API_CONFIRM_MAX_S = 24 * 3600;

extern const sd_varlink_interface api_interface;
