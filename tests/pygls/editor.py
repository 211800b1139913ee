"""An editor based on pygls: it creates a session, answers one permission request, leaves another one open, sends a
selection and cancels a request. Prints one line of JSON at the end. Arguments: the program, the project, the daemon's
process id."""

import asyncio
import json
import os
import pathlib
import signal
import subprocess
import sys
import typing

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient
from pygls.protocol import default_converter

EVENT_TIMEOUT = 60
CODE = "let \u00e4 = 1;\nlet \U0001f980 = \u00e4;\n"

program, project, daemon = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
seen = {"progress": [], "questions": []}


def converter():
    """lsprotocol parses every code action with a command as a command."""
    ours = default_converter()

    def read(action, _):
        kind = types.Command if isinstance(action.get("command"), str) else types.CodeAction
        return ours.structure(action, kind)

    ours.register_structure_hook(typing.Union[types.Command, types.CodeAction], read)
    return ours


client = LanguageClient("pygls", "1", converter_factory=converter)
withdrawn = asyncio.Event()


@client.feature(types.WINDOW_SHOW_MESSAGE_REQUEST)
async def answer_question(params):
    question = {"text": params.message, "choices": [action.title for action in params.actions]}
    seen["questions"].append(question)
    if len(seen["questions"]) == 1:
        return params.actions[0]
    # The command line answers this one.
    request = params.message.split(":")[0]
    await asyncio.create_subprocess_exec(program, "allow", request, stdout=subprocess.DEVNULL)
    try:
        await asyncio.sleep(EVENT_TIMEOUT)
    except asyncio.CancelledError:
        withdrawn.set()
        raise


@client.feature(types.WINDOW_WORK_DONE_PROGRESS_CREATE)
def accept_progress(_):
    return None


@client.feature(types.PROGRESS)
def progress(params):
    value = params.value
    seen["progress"].append(value["kind"] if isinstance(value, dict) else value.kind)


async def until(what, holds):
    async with asyncio.timeout(EVENT_TIMEOUT):
        while not holds():
            await asyncio.sleep(0.02)
    seen.setdefault("steps", []).append(what)


async def execute(command, argument):
    params = types.ExecuteCommandParams(command=command, arguments=[argument])
    return await client.workspace_execute_command_async(params)


async def main():
    await client.start_io(program, "lsp")
    uri = (project / "code.rs").as_uri()
    initialized = await client.initialize_async(
        types.InitializeParams(
            process_id=os.getpid(),
            capabilities=types.ClientCapabilities(
                general=types.GeneralClientCapabilities(position_encodings=["utf-8", "utf-16"]),
                window=types.WindowClientCapabilities(work_done_progress=True),
            ),
            workspace_folders=[types.WorkspaceFolder(uri=project.as_uri(), name="project")],
        )
    )
    client.initialized(types.InitializedParams())
    seen["encoding"] = initialized.capabilities.position_encoding
    seen["commands"] = initialized.capabilities.execute_command_provider.commands

    created = await execute("areyouj.lsp.newSession", {"message": "run: touch made"})
    session = seen["session"] = created["session"]["id"]
    await until("the allowed command", (project / "made").exists)
    await until("the end of the start", lambda: "end" in seen["progress"])
    await execute("areyouj.lsp.send", {"sessionId": session, "text": "run: touch other"})
    async with asyncio.timeout(EVENT_TIMEOUT):
        await withdrawn.wait()
    await until("the command that was allowed elsewhere", (project / "other").exists)

    # The document is not saved: the session receives the text in the editor. Positions count bytes.
    document = types.TextDocumentItem(uri=uri, language_id="rust", version=1, text=CODE)
    client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=document))
    crab = types.Range(start=types.Position(line=1, character=4), end=types.Position(line=1, character=8))
    request = types.CodeActionParams(
        text_document=types.TextDocumentIdentifier(uri=uri),
        range=crab,
        context=types.CodeActionContext(diagnostics=[]),
    )
    actions = await client.text_document_code_action_async(request)
    seen["actions"] = [action.title for action in actions]
    seen["message"] = (await execute(actions[0].command.command, actions[0].command.arguments[0]))["id"]

    # Stop the daemon, so that there is a pending request to cancel.
    os.kill(daemon, signal.SIGSTOP)
    try:
        response = client.protocol.send_request(types.TEXT_DOCUMENT_CODE_ACTION, request, msg_id="slow")
        client.cancel_request(types.CancelParams(id="slow"))
        async with asyncio.timeout(EVENT_TIMEOUT):
            await asyncio.wrap_future(response)
    except JsonRpcException as error:
        seen["cancelled"] = error.code
    finally:
        os.kill(daemon, signal.SIGCONT)

    await client.shutdown_async(None)
    client.exit(None)
    async with asyncio.timeout(EVENT_TIMEOUT):
        seen["status"] = await client._server.wait()
    print(json.dumps(seen))


asyncio.run(main())
