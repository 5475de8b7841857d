// Package logflux is the Go SDK of LogFlux: encrypted logs, sealed inside the application and opened only by
// the holder of the secret.
//
//	err := logflux.Init(logflux.Config{
//		ServerURL: "https://c12345.ingest.us.logflux.io",
//		Node:      "my-app",
//		APIKey:    "lf_your_api_key",
//		Secret:    "your-encryption-secret",
//	})
//	if err != nil {
//		log.Fatal(err)
//	}
//	defer logflux.Close(context.Background())
//	logflux.Info("User login successful")
//	logflux.Error("payment failed", "order", 17, "err", err)
//
// A logging call copies its message into a bounded queue and returns: it never panics, and waits for nothing
// unless [Config.WhenFull] is [Block]. Threads of the native half seal and ship.
//
// A Go program ends by a system call, whatever way it ends, and no library is told of it. So call [Close]
// before the end, also before os.Exit; see docs/go.md for each way to end.
//
// [NewHandler] is a handler of log/slog. [Seal], [Open], [Sealer] and [Opener] work without a client. The native
// half needs cgo; without it the package compiles, and [New] gives [ErrNoCgo].
package logflux
