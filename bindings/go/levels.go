package logflux

// Emergency logs a message of this level: the system is unusable. See [Client.Log].
func (c *Client) Emergency(message string, args ...any) { c.Log(LevelEmergency, message, args...) }

// Alert logs a message of this level: action must be taken at once. See [Client.Log].
func (c *Client) Alert(message string, args ...any) { c.Log(LevelAlert, message, args...) }

// Critical logs a message of this level: a critical condition. See [Client.Log].
func (c *Client) Critical(message string, args ...any) { c.Log(LevelCritical, message, args...) }

// Error logs a message of this level: an error. See [Client.Log].
func (c *Client) Error(message string, args ...any) { c.Log(LevelError, message, args...) }

// Warning logs a message of this level: a warning. See [Client.Log].
func (c *Client) Warning(message string, args ...any) { c.Log(LevelWarning, message, args...) }

// Notice logs a message of this level: normal, but significant. See [Client.Log].
func (c *Client) Notice(message string, args ...any) { c.Log(LevelNotice, message, args...) }

// Info logs a message of this level: informational. See [Client.Log].
func (c *Client) Info(message string, args ...any) { c.Log(LevelInfo, message, args...) }

// Debug logs a message of this level: for debugging. See [Client.Log].
func (c *Client) Debug(message string, args ...any) { c.Log(LevelDebug, message, args...) }

// Emergency logs a message of this level through the client of the process: the system is unusable. See [Client.Log].
func Emergency(message string, args ...any) { Default().Log(LevelEmergency, message, args...) }

// Alert logs a message of this level through the client of the process: action must be taken at once. See [Client.Log].
func Alert(message string, args ...any) { Default().Log(LevelAlert, message, args...) }

// Critical logs a message of this level through the client of the process: a critical condition. See [Client.Log].
func Critical(message string, args ...any) { Default().Log(LevelCritical, message, args...) }

// Error logs a message of this level through the client of the process: an error. See [Client.Log].
func Error(message string, args ...any) { Default().Log(LevelError, message, args...) }

// Warning logs a message of this level through the client of the process: a warning. See [Client.Log].
func Warning(message string, args ...any) { Default().Log(LevelWarning, message, args...) }

// Notice logs a message of this level through the client of the process: normal, but significant. See [Client.Log].
func Notice(message string, args ...any) { Default().Log(LevelNotice, message, args...) }

// Info logs a message of this level through the client of the process: informational. See [Client.Log].
func Info(message string, args ...any) { Default().Log(LevelInfo, message, args...) }

// Debug logs a message of this level through the client of the process: for debugging. See [Client.Log].
func Debug(message string, args ...any) { Default().Log(LevelDebug, message, args...) }
