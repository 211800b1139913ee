import { randomUUID } from "node:crypto";
import { notPossible } from "../daemon/problemError";
import { requireSession } from "../model/lookup";
import type { Model } from "../model/model";
import type { Daemon } from "../ports";
import { displayName } from "../shared/session";
import type { HandlersOf } from "./actions";
import { confirmed } from "./confirm";
import { change } from "./sessionActions";

interface Parts {
  daemon: Pick<Daemon, "request">;
  model: Pick<Model, "connection" | "session" | "queue">;
}

type Kind =
  | "send"
  | "recover"
  | "queueEdit"
  | "queueRemove"
  | "queueMove"
  | "queueSteer"
  | "queuePause"
  | "queueResume"
  | "queueClear";

/** Actions on the messages of a session. */
export function queueActions({ daemon, model }: Parts): HandlersOf<Kind> {
  return {
    send: async ({ sessionId, messageId, text, steer }) => {
      const message = { id: messageId, text };
      await daemon.request(steer ? "areyouj/queue/steer" : "areyouj/queue/add", { sessionId, message });
    },
    recover: async ({ messageId, choice }) => {
      await daemon.request("areyouj/queue/recover", { requestId: randomUUID(), messageId, choice });
    },
    queueEdit: async ({ messageId, text }) => {
      await daemon.request("areyouj/queue/edit", { requestId: randomUUID(), messageId, text });
    },
    queueRemove: async ({ messageId }) => {
      await daemon.request("areyouj/queue/remove", { requestId: randomUUID(), messageId });
    },
    queueMove: async ({ messageId, position }) => {
      await daemon.request("areyouj/queue/move", { requestId: randomUUID(), messageId, position });
    },
    queueSteer: async ({ sessionId, messageId }) => {
      const message = model.queue(sessionId)?.messages.find(({ id }) => id === messageId);
      if (message === undefined)
        throw notPossible("The message is no longer in the queue.", "The transcript shows what happened to it.");
      await daemon.request("areyouj/queue/steer", { sessionId, message: { id: messageId, text: message.text } });
    },
    queuePause: async ({ sessionId }) => void (await daemon.request("areyouj/queue/pause", change(sessionId))),
    queueResume: async ({ sessionId }) => void (await daemon.request("areyouj/queue/resume", change(sessionId))),
    queueClear: async ({ sessionId }) => {
      const session = requireSession(model, sessionId);
      const question = `Clear the queue of ${displayName(session)}?`;
      const detail = `This removes ${session.queued} queued messages.`;
      if (session.queued > 1 && !(await confirmed(question, detail, "Clear queue"))) return;
      await daemon.request("areyouj/queue/clear", change(sessionId));
    },
  };
}
