// Signing in, and GraphiQL with the proof of it: in a header for HTTP, in the connection parameters
// for the WebSocket. The tokens live in sessionStorage: they end with the tab.
"use strict";

(() => {
  const ENDPOINT = window.location.pathname;
  const STORED = "god-kaiser.login";
  const RENEW_AFTER = 0.9; // of the time that is left of a login
  const FORBIDDEN = 4403;

  const LOGIN_FIELDS = "{ accessToken refreshToken expiresAt user { username role } }";
  const LOGIN = `mutation Login($username: String!, $password: String!) {
    tokens: login(username: $username, password: $password) ${LOGIN_FIELDS}
  }`;
  const RENEW = `mutation Renew($refreshToken: String!) {
    tokens: refreshToken(refreshToken: $refreshToken) ${LOGIN_FIELDS}
  }`;

  const element = (id) => document.getElementById(id);
  const form = element("sign-in");

  let login = null; // TokenPair, or null
  let renewal = null; // timer
  let socket = null; // client of graphql-ws

  // ------------------------------------------------------------------ talking to the server

  const proof = () => (login ? { Authorization: `Bearer ${login.accessToken}` } : {});

  async function post(operation, headers) {
    const response = await fetch(ENDPOINT, {
      method: "POST",
      headers: { ...headers, "Content-Type": "application/json" },
      body: JSON.stringify(operation),
    });
    return response.json();
  }

  function openSocket() {
    const url = new URL(ENDPOINT, window.location.href);
    url.protocol = url.protocol.replace("http", "ws");
    return window.graphqlWs.createClient({
      url: url.href,
      connectionParams: proof,
      shouldRetry: (event) => event.code !== FORBIDDEN || login !== null,
      retryAttempts: 3,
    });
  }

  function closeSocket() {
    if (socket) socket.dispose();
    socket = null;
  }

  // Not an Error: GraphiQL would show its stack.
  function readable(error) {
    if (!(error instanceof CloseEvent)) return error;
    if (error.code === FORBIDDEN) return { message: "Sign in first, or again: there is no login." };
    return { message: `The connection closed (${error.code}). ${error.reason}` };
  }

  function isSubscription(operation, documentAST) {
    const definitions = documentAST ? documentAST.definitions : [];
    return definitions.some(
      (definition) =>
        definition.operation === "subscription" &&
        (!operation.operationName ||
          (definition.name && definition.name.value === operation.operationName)),
    );
  }

  function fetcher(operation, options = {}) {
    if (!isSubscription(operation, options.documentAST)) {
      return post(operation, { ...proof(), ...options.headers });
    }
    socket = socket || openSocket();
    return {
      subscribe(observer) {
        const unsubscribe = socket.subscribe(operation, {
          next: (value) => observer.next(value),
          error: (error) => observer.error(readable(error)),
          complete: () => observer.complete(),
        });
        return { unsubscribe };
      },
    };
  }

  // ------------------------------------------------------------------ signing in and out

  function say(text, wrong = false) {
    element("message").textContent = text;
    element("message").classList.toggle("wrong", wrong);
  }

  function remember(tokens) {
    login = tokens;
    sessionStorage.setItem(STORED, JSON.stringify(tokens));
    clearTimeout(renewal);
    const left = Date.parse(tokens.expiresAt) - Date.now();
    renewal = setTimeout(renew, Math.max(1000, left * RENEW_AFTER));
    show();
  }

  function forget(reason = "", wrong = false) {
    login = null;
    sessionStorage.removeItem(STORED);
    clearTimeout(renewal);
    closeSocket();
    show();
    say(reason, wrong);
  }

  function show() {
    form.hidden = login !== null;
    element("signed-in").hidden = login === null;
    if (!login) return;
    const until = new Date(login.expiresAt);
    const time = until.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    element("who").textContent =
      `${login.user.username} (${login.user.role.toLowerCase()}) until ${time}`;
  }

  async function renew() {
    const answer = await post({
      query: RENEW,
      variables: { refreshToken: login.refreshToken },
    }).catch(() => ({}));
    if (answer.data && answer.data.tokens) remember(answer.data.tokens);
    else forget("Your login has ended: sign in again.", true);
  }

  async function signIn(event) {
    event.preventDefault();
    const button = form.querySelector("button");
    const given = new FormData(form);
    button.disabled = true;
    say("");
    try {
      const answer = await post({
        query: LOGIN,
        variables: { username: given.get("username"), password: given.get("password") },
      });
      if (answer.errors) throw new Error(answer.errors[0].message);
      closeSocket();
      remember(answer.data.tokens);
      form.reset();
    } catch (error) {
      say(error.message, true);
    } finally {
      button.disabled = false;
    }
  }

  function recall() {
    try {
      const tokens = JSON.parse(sessionStorage.getItem(STORED));
      if (tokens) remember(tokens);
      else forget("Sign in to run queries; the documentation is open to everybody.");
    } catch {
      forget();
    }
  }

  // ------------------------------------------------------------------ the editor

  function Editor() {
    const [query, setQuery] = React.useState(window.FIRST_QUERIES[0].query);
    const explorer = window.GraphiQLPluginExplorer.useExplorerPlugin({ query, onEdit: setQuery });
    return React.createElement(GraphiQL, {
      fetcher,
      query,
      onEditQuery: setQuery,
      plugins: [explorer],
      defaultTabs: window.FIRST_QUERIES,
      isHeadersEditorEnabled: false,
      defaultEditorToolsVisibility: "variables",
    });
  }

  form.addEventListener("submit", signIn);
  element("sign-out").addEventListener("click", () => forget("Signed out."));
  recall();
  ReactDOM.render(React.createElement(Editor), element("editor"));
})();
