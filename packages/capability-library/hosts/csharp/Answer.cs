using System;
using System.Collections.Generic;
using System.Threading;
using Switchyard.Capabilities;

namespace Switchyard.Host
{
    /// <summary>A result that may still be to come. It settles once; later attempts change nothing.</summary>
    public sealed class Answer
    {
        readonly object gate = new object();
        List<Action> waiting = new List<Action>();

        public object Value { get; private set; }
        public Exception Error { get; private set; }

        public bool Settle(object value, Exception error)
        {
            List<Action> ready;
            lock (gate)
            {
                if (waiting == null) return false;
                Value = value;
                Error = error;
                ready = waiting;
                waiting = null;
                Monitor.PulseAll(gate);
            }
            foreach (var action in ready) action();
            return true;
        }

        public bool Resolve(object value) { return Settle(value, null); }
        public bool Reject(Exception error) { return Settle(null, error); }

        /// <summary>Runs the action once this is settled; at once when it is already.</summary>
        public void Then(Action action)
        {
            lock (gate)
            {
                if (waiting != null)
                {
                    waiting.Add(action);
                    return;
                }
            }
            action();
        }

        /// <summary>Blocks until this is settled; throws its error.</summary>
        public object Wait()
        {
            lock (gate) while (waiting != null) Monitor.Wait(gate);
            if (Error != null) throw Error as CapabilityException ?? new CapabilityException("CAPABILITY_FAILED", Error.Message);
            return Value;
        }
    }
}
