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

    /// <summary>
    /// Threads for calls that take their time. A thread whose call timed out goes on until its method returns; the limit
    /// bounds how many there are.
    /// </summary>
    public sealed class WorkerThreads
    {
        const int StackBytes = 512 * 1024;
        readonly int limit;
        readonly Queue<Action> work = new Queue<Action>();
        int idle;
        int count;

        public WorkerThreads(int limit) { this.limit = limit; }

        /// <summary>False when every thread is busy and there may be no more.</summary>
        public bool Submit(Action action)
        {
            lock (work)
            {
                if (idle <= work.Count)
                {
                    if (count >= limit) return false;
                    count++;
                    new Thread(Run, StackBytes) { IsBackground = true }.Start();
                }
                work.Enqueue(action);
                Monitor.Pulse(work);
            }
            return true;
        }

        void Run()
        {
            while (true)
            {
                Action action;
                lock (work)
                {
                    idle++;
                    while (work.Count == 0) Monitor.Wait(work);
                    action = work.Dequeue();
                    idle--;
                }
                action();
            }
        }
    }
}
