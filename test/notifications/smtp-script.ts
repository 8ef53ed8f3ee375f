import { type AddressInfo, createServer, type Socket } from "node:net";

/** A mail server for one dialogue: it answers as recorded and keeps what the client said. */
export interface ScriptedServer {
  readonly port: number;
  /** Commands in order; the mails' text is left out. */
  readonly commands: string[];
  /** The mails as they came, without the final dot. */
  readonly mails: string[];
  close(): Promise<void>;
}

export interface Script {
  /** Lines after the greeting line of the answer to EHLO, as recorded: `250-fake greets you`, … */
  readonly ehlo: readonly string[];
  /** What is said to a command that begins so, instead of `250 ok`. */
  readonly answers?: Readonly<Record<string, string>>;
}

export async function startScriptedServer(script: Script, host = "127.0.0.1"): Promise<ScriptedServer> {
  const commands: string[] = [];
  const mails: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.write("220 fake ESMTP\r\n");
    let buffer = "";
    let mail: string | undefined;
    let isChallenge = false;
    socket.on("data", (chunk) => {
      buffer += chunk.toString("utf8");
      for (let end = buffer.indexOf("\r\n"); end >= 0; end = buffer.indexOf("\r\n")) {
        const line = buffer.slice(0, end);
        buffer = buffer.slice(end + 2);
        if (mail !== undefined) {
          if (line === ".") {
            mails.push(mail);
            mail = undefined;
            socket.write("250 queued\r\n");
          } else mail += `${line.replace(/^\./, "")}\r\n`;
          continue;
        }
        commands.push(line);
        const found = Object.entries(script.answers ?? {}).find(([beginning]) => line.startsWith(beginning));
        if (isChallenge) {
          isChallenge = false;
          socket.write("235 ok\r\n");
        } else if (found !== undefined) {
          isChallenge = found[1].startsWith("334");
          socket.write(`${found[1]}\r\n`);
        } else if (line.startsWith("EHLO")) socket.write(`${script.ehlo.join("\r\n")}\r\n`);
        else if (line.startsWith("AUTH")) socket.write("235 ok\r\n");
        else if (line === "QUIT") socket.end("221 bye\r\n");
        else if (line === "DATA") {
          mail = "";
          socket.write("354 go\r\n");
        } else socket.write("250 ok\r\n");
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    commands,
    mails,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
